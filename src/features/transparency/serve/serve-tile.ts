import { formatEntryBundle, parseTilePath, type TilePath, tileWidth } from '../../../core/tlog/index.js'
import { AppError } from '../../../platform/errors.js'
import { currentCheckpoint, type ShowDeps } from '../current-checkpoint.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { TileStore } from './tile-store.js'
import type { Tiles } from './tiles.js'

export type TileDeps = ShowDeps & {
  readonly tiles: Pick<Tiles, 'read' | 'recall'>
  readonly store: Pick<TileStore, 'readEntries'>
}

const HASH_BYTES = 32

/**
 * The bytes of a tile, or of a bundle of entries, by its path below the log's prefix (`tile/0/x001/067.p/12`). Throws
 * `not-found` for a path that is none, and for what the published tree does not have.
 */
export async function serveTile(deps: TileDeps, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const parsed = parseTilePath(path)
  if (!parsed.ok) throw new AppError('not-found', 'This is not the path of a tile.')
  const { level, index, width } = parsed.path
  if (!isPublished(currentCheckpoint(deps).size, parsed.path)) throw notThere()
  if (level === 'entries') {
    const entries = await deps.store.readEntries(index * tileWidth, width)
    if (entries.length < width) throw notThere()
    return new Uint8Array(formatEntryBundle(entries))
  }
  const [hashes] = await deps.tiles.read([{ level, index, width }])
  if (hashes == null || hashes.length < width * HASH_BYTES) throw notThere()
  return new Uint8Array(hashes.subarray(0, width * HASH_BYTES))
}

/** The same from memory: a full tile that was read before. */
export function recallTile({ tiles }: Pick<TileDeps, 'tiles'>, path: string): Uint8Array<ArrayBuffer> | undefined {
  // Partial tiles and bundles are not in memory, and need no closer look.
  if (path.length > TRANSPARENCY_LIMITS.fullTilePathCharsMax) return undefined
  const parsed = parseTilePath(path)
  if (!parsed.ok || parsed.path.level === 'entries' || parsed.path.width < tileWidth) return undefined
  return tiles.recall({ level: parsed.path.level, index: parsed.path.index })
}

function isPublished(size: number, { level, index, width }: TilePath): boolean {
  const rows = level === 'entries' ? size : Math.floor(size / 256 ** level)
  return index * tileWidth + width <= rows
}

const notThere = () => new AppError('not-found', 'The published tree has no such tile, or not as wide a one.')
