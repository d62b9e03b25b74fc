import { completeSubtrees, isTreeSize, type LeafRange, type Subtree } from './leaf-range.js'
import { hashBytes, hashEmptyTree, hashRagged, hashRow, type Sha256 } from './merkle-hash.js'
import { type TileAddress, tileOfRow, tileWidth } from './tile.js'

/**
 * Reads tiles: for each its hashes, or null if there is no such tile. More bytes than `width` times 32 are fine, as a
 * full tile begins with the partial one. A proof asks once, for all it needs: at most two tiles a level.
 */
export type ReadTiles = (tiles: readonly TileAddress[]) => Promise<readonly (Uint8Array | null)[]>

export interface TreeDeps {
  readonly sha256: Sha256
  readonly readTiles: ReadTiles
}

export type TileRefusal = {
  readonly ok: false
  readonly reason: 'tile-missing' | 'tile-too-short'
  readonly tile: TileAddress
}

export type RangesResult = { readonly ok: true; readonly hashes: readonly Uint8Array[] } | TileRefusal

export type RootResult =
  | { readonly ok: true; readonly root: Uint8Array }
  | { readonly ok: false; readonly reason: 'bad-size' }
  | TileRefusal

/** The root of the tree's first `size` leaves, out of at most one tile a level. */
export async function readRoot(deps: TreeDeps, size: number): Promise<RootResult> {
  if (!isTreeSize(size)) return { ok: false, reason: 'bad-size' }
  if (size === 0) return { ok: true, root: hashEmptyTree(deps.sha256) }
  const read = await readRanges(deps, size, [{ start: 0, end: size }])
  return read.ok ? { ok: true, root: read.hashes[0] ?? hashEmptyTree(deps.sha256) } : read
}

/** The hashes over ranges of leaves of a tree of `size` leaves, in one read. What tiles say is not checked here. */
export async function readRanges(deps: TreeDeps, size: number, ranges: readonly LeafRange[]): Promise<RangesResult> {
  const subtrees = ranges.map(completeSubtrees)
  const wanted = new Map<string, TileAddress>()
  for (const subtree of subtrees.flat()) {
    const { tile } = placeOf(subtree, size)
    wanted.set(nameOf(tile), tile)
  }
  const tiles = [...wanted.values()]
  const read = tiles.length === 0 ? [] : await deps.readTiles(tiles)
  const found = new Map<string, Uint8Array>()
  for (const [at, tile] of tiles.entries()) {
    const hashes = read[at] ?? null
    if (hashes === null) return { ok: false, reason: 'tile-missing', tile }
    if (hashes.length < tile.width * hashBytes) return { ok: false, reason: 'tile-too-short', tile }
    found.set(nameOf(tile), hashes)
  }
  const hashOf = (subtree: Subtree): Uint8Array => {
    const { tile, offset, count } = placeOf(subtree, size)
    const hashes = found.get(nameOf(tile)) ?? new Uint8Array(0)
    return hashRow(deps.sha256, hashes.slice(offset * hashBytes, (offset + count) * hashBytes))
  }
  return { ok: true, hashes: subtrees.map((parts) => hashRagged(deps.sha256, parts.map(hashOf))) }
}

/** Where a subtree's hash comes from: `count` adjacent hashes of one tile. */
function placeOf({ height, index }: Subtree, size: number) {
  const level = Math.floor(height / 8)
  const count = 2 ** (height % 8)
  const row = index * count
  return { tile: tileOfRow(size, level, row), offset: row % tileWidth, count }
}

function nameOf(tile: TileAddress): string {
  return `${tile.level}/${tile.index}`
}
