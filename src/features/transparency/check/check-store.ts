import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'
import { createTileStore, type StoredTile, selectTiles } from '../serve/tile-store.js'
import type { TreeHead } from '../tree-head.js'

type KeptCheckpoint = TreeHead & { readonly note: string }

/** What a check of the whole log reads. */
export function createCheckStore(sql: Sql) {
  const { readEntries } = createTileStore(sql)
  return {
    readEntries: async (from: number, entriesMax: number) => readEntries(from, entriesMax),

    readHead: async (): Promise<TreeHead | undefined> => {
      const [row] = await sql<{ size: string; root: Buffer }[]>`select size, root from log_head`
      return row === undefined ? undefined : { size: Number(row.size), root: row.root }
    },

    readTiles: (tiles: readonly Pick<StoredTile, 'level' | 'index'>[]) => selectTiles(sql, tiles),

    countTiles: async (): Promise<readonly { level: number; tiles: number }[]> =>
      await sql<{ level: number; tiles: number }[]>`
        select level, count(*)::float8 as tiles from log_tiles group by level order by level`,

    listCheckpointSizes: async (above: number, upTo: number): Promise<readonly number[]> => {
      const rows = await sql<{ size: string }[]>`
        select size from log_checkpoints where size > ${above} and size <= ${upTo} order by size`
      return rows.map(({ size }) => Number(size))
    },

    readCheckpoints: async (above: number, upTo: number): Promise<readonly KeptCheckpoint[]> => {
      const rows = await sql<{ size: string; root: Buffer; note: string }[]>`
        select size, root, note from log_checkpoints where size > ${above} and size <= ${upTo} order by log_checkpoints.size`
      return rows.map(({ size, ...rest }) => ({ ...rest, size: Number(size) }))
    },

    /** Those of the entries, in hexadecimal digits, that are neither numbered nor pending. */
    findStrangers: async (entries: readonly string[]): Promise<readonly string[]> => {
      const rows = await sql<{ entry: string }[]>`
        with wanted as (
          select entry, decode(entry, 'hex') as bytes from unnest(${arrayText(entries)}::text::text[]) as input (entry)
        )
        select entry from wanted
        where not exists (select from log_entries where log_entries.entry = wanted.bytes)
          and not exists (select from log_pending where log_pending.entry = wanted.bytes)`
      return rows.map(({ entry }) => entry)
    },
  }
}
export type CheckStore = ReturnType<typeof createCheckStore>
