import { joinBytes } from './merkle-hash.js'
import { tileWidth } from './tile.js'

/** Bytes of the longest entry: its length is two bytes. */
export const entryBytesMax = 65_535

type EntryBundleResult =
  | { readonly ok: true; readonly entries: readonly Uint8Array[] }
  | { readonly ok: false; readonly reason: 'bad-width' | 'truncated' | 'trailing-bytes' }

/** A bundle of entries (c2sp.org/tlog-tiles): each behind its length as two bytes, big-endian. Throws on a longer entry. */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.some(({ length }) => length > entryBytesMax)) throw new RangeError('An entry has at most 65535 bytes.')
  const lengths = entries.map(({ length }) => Uint8Array.of(Math.floor(length / 256), length % 256))
  return joinBytes(entries.flatMap((entry, at) => [lengths[at] ?? new Uint8Array(0), entry]))
}

/** The entries of a bundle of `width` (1 to 256), no more and no fewer. They share the bundle's memory. */
export function parseEntryBundle(bundle: Uint8Array, width: number): EntryBundleResult {
  if (!Number.isInteger(width) || width < 1 || width > tileWidth) return { ok: false, reason: 'bad-width' }
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < width) {
    const start = at + 2
    const end = start + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
    if (end > bundle.length) return { ok: false, reason: 'truncated' }
    entries.push(bundle.subarray(start, end))
    at = end
  }
  return at === bundle.length ? { ok: true, entries } : { ok: false, reason: 'trailing-bytes' }
}
