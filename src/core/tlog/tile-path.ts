import { tileWidth } from './tile.js'

/** A tile of hashes, or (level `entries`) a bundle of entries, as an address below the log's prefix names it. */
export interface TilePath {
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256; less than 256 for a partial tile. */
  readonly width: number
}

type TilePathResult =
  | { readonly ok: true; readonly path: TilePath }
  | { readonly ok: false; readonly reason: 'not-a-tile-path' }

/** `tile/entries/`, six groups of digits and `.p/255`. */
const tilePathCharsMax = 48
const PATTERN = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/
const levelMax = 63

/** `tile/<level>/<index>[.p/<width>]` (c2sp.org/tlog-tiles), the index in groups of three digits: x001/x234/067. */
export function formatTilePath({ level, index, width }: TilePath): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  const grouped = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${grouped}${width < tileWidth ? `.p/${width}` : ''}`
}

/** Reads a tile's path, in the one spelling that `formatTilePath` gives. Levels up to 63, indices up to 2^53 - 1. */
export function parseTilePath(text: string): TilePathResult {
  const refused = { ok: false, reason: 'not-a-tile-path' } as const
  if (text.length > tilePathCharsMax) return refused
  const match = PATTERN.exec(text)
  if (match === null) return refused
  const [, levelText = '', groups = '', widthText] = match
  const level = levelText === 'entries' ? levelText : Number(levelText)
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = widthText === undefined ? tileWidth : Number(widthText)
  if (!Number.isSafeInteger(index) || width < 1 || width > tileWidth) return refused
  if (level !== 'entries' && level > levelMax) return refused
  const path: TilePath = { level, index, width }
  return formatTilePath(path) === text ? { ok: true, path } : refused
}
