import { arrayText } from '../../../db/array-text.js'
import type { Sql, Statements } from '../../../db/client.js'

export type StoredTile = { readonly level: number; readonly index: number; readonly hashes: Uint8Array }
type TilePlace = Pick<StoredTile, 'level' | 'index'>

/** The tiles at these places that are there, in any order: one read by the primary key for all of them. */
export async function selectTiles(sql: Statements, tiles: readonly TilePlace[]): Promise<readonly StoredTile[]> {
  if (tiles.length === 0) return []
  const rows = await sql<{ level: number; index: string; hashes: Buffer }[]>`
    select level, index, hashes from log_tiles where (level, index) in (
      select level, index from unnest(
        ${arrayText(tiles.map(({ level }) => level))}::text::smallint[],
        ${arrayText(tiles.map(({ index }) => index))}::text::bigint[]
      ) as wanted (level, index)
    )`
  return rows.map(({ level, index, hashes }) => ({ level, index: Number(index), hashes }))
}

export function createTileStore(sql: Sql) {
  return {
    read: (tiles: readonly TilePlace[]) => selectTiles(sql, tiles),

    /** Entries from an index on, in order; fewer if there are no more. */
    readEntries: async (from: number, entriesMax: number): Promise<readonly Uint8Array[]> => {
      const rows = await sql<{ entry: Buffer }[]>`
        select entry from log_entries where index >= ${from} order by index limit ${entriesMax}`
      return rows.map(({ entry }) => entry)
    },

    /** The lowest index of an entry; null if it has none. */
    findIndex: async (entry: Uint8Array): Promise<number | null> => {
      const [row] = await sql<{ index: string }[]>`
        select index from log_entries where entry = ${Buffer.from(entry)} order by index limit 1`
      return row === undefined ? null : Number(row.index)
    },

    /** The lowest indices of those entries that have one, by their hexadecimal digits. */
    findIndices: async (entries: readonly string[]): Promise<ReadonlyMap<string, number>> => {
      const rows = await sql<{ entry: string; index: string }[]>`
        select wanted.entry, (
          select index from log_entries where log_entries.entry = decode(wanted.entry, 'hex') order by index limit 1
        ) as index
        from unnest(${arrayText(entries)}::text::text[]) as wanted (entry)`
      return new Map(rows.flatMap(({ entry, index }) => (index === null ? [] : [[entry, Number(index)]])))
    },

    /** Whether the entry is among the first that are pending. */
    isPending: async (entry: Uint8Array, leavesMax: number): Promise<boolean> => {
      const [row] = await sql<{ found: boolean }[]>`
        select exists (
          select from (select entry from log_pending order by id limit ${leavesMax}) as first
          where entry = ${Buffer.from(entry)}
        ) as found`
      return row?.found === true
    },
  }
}
export type TileStore = ReturnType<typeof createTileStore>
