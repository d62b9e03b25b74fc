import { formatPolicy, makeInclusionProof, type NoteKey, type ReadTiles } from '../../../core/tlog/index.js'
import { invariant } from '../../../platform/invariant.js'
import { sha256 } from '../../../platform/sha256.js'
import { createSlices } from '../../../platform/slices.js'
import type { ProveDeps } from '../serve/prove-entry.js'
import type { TileStore } from '../serve/tile-store.js'
import type { LogSnapshot } from '../transparency-log.js'

export type SnapshotDeps = Omit<ProveDeps, 'store' | 'firstWitnessed'> & {
  readonly store: Pick<TileStore, 'findIndices'>
  readonly logKey: NoteKey
}

/**
 * The published checkpoint, to prove many entries against: it stays provable while the tree grows on. Null while there
 * is none. Throws `log-suspended`.
 */
export function openSnapshot({
  store,
  logKey,
  published,
  readTiles,
  refuseWhileBarred,
}: SnapshotDeps): LogSnapshot | null {
  refuseWhileBarred()
  const checkpoint = published.current()
  if (checkpoint === null) return null
  const { size, note } = checkpoint
  return {
    checkpoint: note,
    policy: formatPolicy({ logs: [{ key: logKey, url: null }], witnesses: [], groups: [], quorum: null }),
    prove: async (entries) => {
      const names = entries.map((entry) => Buffer.from(entry).toString('hex'))
      const indices = await store.findIndices(names)
      const deps = { sha256, readTiles: rememberTiles(readTiles) }
      const slices = createSlices()
      const places: ({ index: number; proof: readonly Uint8Array[] } | null)[] = []
      for (const name of names) {
        const index = indices.get(name)
        if (slices.isDue()) await slices.pause()
        if (index === undefined || index >= size) places.push(null)
        else {
          const made = await makeInclusionProof(deps, index, size)
          invariant(made.ok, 'every tile of a published tree is there')
          places.push({ index, proof: made.proof })
        }
      }
      return places
    },
  }
}

/** Neighbours need the same tiles: those that are read are remembered as long as what asks for them. */
function rememberTiles(readTiles: ReadTiles): ReadTiles {
  const known = new Map<string, Uint8Array | null>()
  return async (tiles) => {
    const keys = tiles.map(({ level, index }) => `${level}/${index}`)
    const missing = tiles.filter((_, at) => !known.has(keys[at] as string))
    const read = missing.length === 0 ? [] : await readTiles(missing)
    for (const [at, { level, index }] of missing.entries()) known.set(`${level}/${index}`, read[at] ?? null)
    return keys.map((key) => known.get(key) ?? null)
  }
}
