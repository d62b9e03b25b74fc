import { hashBytes, hashRow, type Sha256 } from './merkle-hash.js'

/** Hashes in a full tile (c2sp.org/tlog-tiles). */
export const tileWidth = 256

/** Bytes of a full tile. */
export const tileBytes = tileWidth * hashBytes

/** The levels of a tree of up to 2^53 - 1 leaves: 256^7 is more than that. */
export const tileLevels = 7

/**
 * A tile: the hashes of `width` adjacent subtrees of 256^`level` leaves, from subtree 256 times `index` on. A partial
 * tile, of fewer than 256, is the beginning of the full one.
 */
export interface TileAddress {
  readonly level: number
  readonly index: number
  /** 1 to 256. */
  readonly width: number
}

export interface Tile extends TileAddress {
  /** `width` times 32 bytes. */
  readonly hashes: Uint8Array
}

/** How many hashes a tree of `size` leaves has on a level of tiles. */
export function rowsAt(size: number, level: number): number {
  return Math.floor(size / 256 ** level)
}

/** The tile that holds row `row` of a level, as wide as a tree of `size` leaves has it. */
export function tileOfRow(size: number, level: number, row: number): TileAddress {
  const index = Math.floor(row / tileWidth)
  return { level, index, width: Math.min(tileWidth, rowsAt(size, level) - index * tileWidth) }
}

/** The partial tiles at the right edge of a tree: all that is needed to append to it, at most one a level. */
export function edgeTiles(size: number): TileAddress[] {
  return Array.from({ length: tileLevels }, (_, level) => {
    const rows = rowsAt(size, level)
    return { level, index: Math.floor(rows / tileWidth), width: rows % tileWidth }
  }).filter(({ width }) => width > 0)
}

/** The one hash that a full tile becomes on the level above. */
export function hashFullTile(sha256: Sha256, hashes: Uint8Array): Uint8Array {
  if (hashes.length !== tileBytes) throw new RangeError('A full tile has 8192 bytes.')
  return hashRow(sha256, hashes)
}
