import { hashBytes, hashEmptyTree, hashRagged, hashRow, type Sha256 } from './merkle-hash.js'
import { rowsAt, tileLevels, tileWidth } from './tile.js'

/** What one has to keep of a tree to append to it: its size, and the partial tile of each level (empty if there is none). */
export interface TreeEdge {
  readonly size: number
  /** By level; each a multiple of 32 bytes. */
  readonly partialTiles: readonly Uint8Array[]
}

export type TreeEdgeResult =
  | { readonly ok: true; readonly edge: TreeEdge }
  | { readonly ok: false; readonly reason: 'bad-size' }
  | { readonly ok: false; readonly reason: 'tile-too-short'; readonly level: number }

export const emptyTree: TreeEdge = { size: 0, partialTiles: [] }

/**
 * The edge of a tree of `size` leaves from the tiles that `edgeTiles` names, by level. A stored tile may be longer than
 * the tree's own: its beginning is taken.
 */
export function openTreeEdge(size: number, tiles: ReadonlyMap<number, Uint8Array>): TreeEdgeResult {
  if (!Number.isSafeInteger(size) || size < 0) return { ok: false, reason: 'bad-size' }
  const partialTiles: Uint8Array[] = []
  for (let level = 0; level < tileLevels; level += 1) {
    const length = (rowsAt(size, level) % tileWidth) * hashBytes
    const stored = tiles.get(level) ?? new Uint8Array(0)
    if (stored.length < length) return { ok: false, reason: 'tile-too-short', level }
    partialTiles.push(stored.slice(0, length))
  }
  return { ok: true, edge: { size, partialTiles } }
}

/** The root of a tree (RFC 6962 section 2.1), from its edge alone. */
export function rootOfEdge(sha256: Sha256, edge: TreeEdge): Uint8Array {
  const subtrees = edge.partialTiles.toReversed().flatMap((tile) => subtreesOf(sha256, tile))
  return subtrees.length === 0 ? hashEmptyTree(sha256) : hashRagged(sha256, subtrees)
}

/** The hashes of the complete subtrees over a partial tile, from high to low: one for each bit of its width. */
function subtreesOf(sha256: Sha256, tile: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  let at = 0
  for (let length = (tileWidth / 2) * hashBytes; length >= hashBytes; length /= 2) {
    if (tile.length - at < length) continue
    found.push(hashRow(sha256, tile.subarray(at, at + length)))
    at += length
  }
  return found
}
