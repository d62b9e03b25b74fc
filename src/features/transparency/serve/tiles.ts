import { LRUCache } from 'lru-cache'
import type { ReadTiles } from '../../../core/tlog/index.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { TileStore } from './tile-store.js'

const FULL_TILE_BYTES = 8_192
type TilePlace = { readonly level: number; readonly index: number }

export type Tiles = {
  readonly read: ReadTiles
  /** A full tile, if it is in memory. */
  readonly recall: (tile: TilePlace) => Uint8Array<ArrayBuffer> | undefined
  readonly forget: () => void
}

type FullTiles = LRUCache<string, Uint8Array<ArrayBuffer>>

/** Tiles of the database; full ones, which never change again, are kept in memory up to a number of bytes. */
export function createTiles(store: Pick<TileStore, 'read'>): Tiles {
  let full = openMemory()
  return {
    recall: (tile) => full.get(nameOf(tile)),
    // Another memory: what was asked for already, and is answered later, goes into the old one.
    forget: () => {
      full = openMemory()
    },
    read: async (wanted) => {
      const memory = full
      const found = new Map<string, Uint8Array>()
      const missing = wanted.filter((tile) => {
        const kept = memory.get(nameOf(tile))
        // Held from here on: what is read meanwhile may take its place in memory.
        if (kept !== undefined) found.set(nameOf(tile), kept)
        return kept === undefined
      })
      for (const { hashes, ...tile } of await store.read(missing)) {
        // A copy: the row's bytes are a part of a larger buffer, which would be kept with them.
        if (hashes.length === FULL_TILE_BYTES) memory.set(nameOf(tile), new Uint8Array(hashes))
        found.set(nameOf(tile), hashes)
      }
      return wanted.map((tile) => found.get(nameOf(tile)) ?? null)
    },
  }
}

const openMemory = (): FullTiles =>
  new LRUCache({ maxSize: TRANSPARENCY_LIMITS.tileCacheBytesMax, sizeCalculation: ({ byteLength }) => byteLength })

const nameOf = ({ level, index }: TilePlace): string => `${level}/${index}`
