import { LRUCache } from 'lru-cache'
import type { ReadTiles } from '../../core/tlog/index.js'
import { TRANSPARENCY_LIMITS } from './limits.js'
import type { TileStore } from './tile-store.js'

const FULL_TILE_BYTES = 8_192
type TilePlace = { readonly level: number; readonly index: number }

export type Tiles = {
  readonly read: ReadTiles
  /** A full tile, if it is in memory. */
  readonly recall: (tile: TilePlace) => Uint8Array<ArrayBuffer> | undefined
  readonly forget: () => void
}

/** Tiles of the database; full ones, which never change again, are kept in memory up to a number of bytes. */
export function createTiles(store: Pick<TileStore, 'read'>): Tiles {
  const full = new LRUCache<string, Uint8Array<ArrayBuffer>>({
    maxSize: TRANSPARENCY_LIMITS.tileCacheBytesMax,
    sizeCalculation: ({ byteLength }) => byteLength,
  })
  const keyOf = ({ level, index }: TilePlace): string => `${level}/${index}`
  return {
    recall: (tile) => full.get(keyOf(tile)),
    forget: () => full.clear(),
    read: async (wanted) => {
      const missing = wanted.filter((tile) => !full.has(keyOf(tile)))
      const found = new Map<string, Uint8Array>()
      for (const { hashes, ...tile } of await store.read(missing)) {
        found.set(keyOf(tile), hashes)
        // A copy: the row's bytes are a part of a larger buffer, which would be kept with them.
        if (hashes.length === FULL_TILE_BYTES) full.set(keyOf(tile), new Uint8Array(hashes))
      }
      return wanted.map((tile) => full.get(keyOf(tile)) ?? found.get(keyOf(tile)) ?? null)
    },
  }
}
