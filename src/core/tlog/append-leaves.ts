import { isTreeSize } from './leaf-range.js'
import { hashBytes, joinBytes, type Sha256 } from './merkle-hash.js'
import { hashFullTile, rowsAt, type Tile, tileBytes, tileLevels, tileWidth } from './tile.js'
import type { TreeEdge } from './tree-edge.js'

export interface Appended {
  readonly edge: TreeEdge
  /** Every tile that is new or longer now, whole, from the leaves up: each (level, index) once. */
  readonly tiles: readonly Tile[]
}

/**
 * Appends leaves to a tree: the new edge, and the tiles to write. `leaves` are hashes of leaves (`hashLeaf`), 32 bytes
 * each. Costs about one hash a leaf, whatever the size of the tree. Throws if the tree would outgrow 2^53 - 1 leaves,
 * or a hash is no hash.
 */
export function appendLeaves(sha256: Sha256, edge: TreeEdge, leaves: readonly Uint8Array[]): Appended {
  const size = edge.size + leaves.length
  if (!isTreeSize(size)) throw new RangeError('A tree has at most 2^53 - 1 leaves.')
  if (leaves.some((leaf) => leaf.length !== hashBytes)) throw new RangeError('The hash of a leaf has 32 bytes.')
  const tiles: Tile[] = []
  const partialTiles: Uint8Array[] = []
  let added: readonly Uint8Array[] = leaves
  for (let level = 0; level < tileLevels; level += 1) {
    const kept = edge.partialTiles[level] ?? new Uint8Array(0)
    const filled = fillTiles(level, Math.floor(rowsAt(edge.size, level) / tileWidth), joinBytes([kept, ...added]))
    if (added.length > 0) tiles.push(...filled)
    const last = filled.at(-1)
    partialTiles.push(last !== undefined && last.width < tileWidth ? last.hashes : new Uint8Array(0))
    added = filled.filter(({ width }) => width === tileWidth).map(({ hashes }) => hashFullTile(sha256, hashes))
  }
  return { edge: { size, partialTiles }, tiles }
}

/** Cuts the hashes of a level into tiles, of which the last may be partial. */
function fillTiles(level: number, firstIndex: number, row: Uint8Array): Tile[] {
  return Array.from({ length: Math.ceil(row.length / tileBytes) }, (_, at) => {
    const hashes = row.slice(at * tileBytes, (at + 1) * tileBytes)
    return { level, index: firstIndex + at, width: hashes.length / hashBytes, hashes }
  })
}
