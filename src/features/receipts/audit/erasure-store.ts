import type { ProjectId } from '../../../access/principal.js'
import type { Sql } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'
import { eraseRows } from '../../../db/erase-rows.js'
import type { ExportedPage } from '../../contract.js'
import type { ReceiptIdentity } from '../receipt.js'

export type ErasureStore = ReturnType<typeof createErasureStore>

/** Receipts that were erased one by one, of which the place in the chain and in the log stays. */
export function createErasureStore(sql: Sql) {
  return {
    erase: (identity: ReceiptIdentity, at: Date) => erase(sql, identity, at),

    eraseChunk: (projectId: ProjectId, rowsMax: number): Promise<number> =>
      eraseRows(sql, { table: 'receipt_erasures', key: ['entry'], projectId, rowsMax }),

    /** By entry, after one of them, in hexadecimal. */
    exportPage: async (projectId: ProjectId, after: string | null, rowsMax: number): Promise<ExportedPage> => {
      const rows = await sql<{ entry: string; seq: number | null; erasedAt: Date }[]>`
        select encode(entry, 'hex') as entry, seq::float8 as seq, erased_at as "erasedAt" from receipt_erasures
        where project_id = ${projectId} ${after === null ? sql`` : sql`and entry > decode(${after}, 'hex')`}
        order by receipt_erasures.entry limit ${rowsMax}`
      const lines = rows.map(({ entry, seq, erasedAt }) => ({ seq, entry: `sha256:${entry}`, erased_at: erasedAt }))
      const last = rows.length < rowsMax ? undefined : rows.at(-1)
      return { rows: lines.map((line) => JSON.stringify(line)), next: last?.entry ?? null }
    },
  }
}

/**
 * Takes a receipt's body away and remembers its entry; undefined if there is no such receipt. With a batch receipt
 * goes what it says of calls, since its id is free for another: they count as not certified again, so the mark up to
 * which all are certified goes back to the first of them. The lock of the chain keeps batches in the making away.
 */
async function erase(sql: Sql, { projectId, id }: ReceiptIdentity, at: Date): Promise<{ entry: Buffer } | undefined> {
  const erased = await sql<{ entry: Buffer }[]>`
    with chain as materialized (
      select project_id from receipt_chains where project_id = ${projectId} for update
    ), gone as (
      delete from receipts where project_id = ${projectId} and id = ${id} and (select count(*) from chain) >= 0
      returning project_id, entry, seq
    ), batch as (
      delete from receipt_batches
      where project_id = ${projectId} and receipt_id = ${id} and sealed_at is not null and exists (select from gone)
      returning project_id
    ), members as (
      delete from receipt_members
      where project_id = ${projectId} and receipt_id = ${id} and exists (select from batch) returning logged_at
    ), tiles as (
      delete from receipt_member_tiles
      where project_id = ${projectId} and receipt_id = ${id} and exists (select from batch) returning project_id
    ), coverage as (
      update receipt_coverage set generation = generation + 1,
        settled_until = case when settled_until is null then null
          else least(settled_until, (select min(logged_at) from members)) end,
        arrived_until = null
      where project_id = ${projectId} and exists (select from batch) returning project_id
    )
    insert into receipt_erasures (project_id, entry, seq, erased_at)
    select project_id, entry, seq, ${at.toISOString()}::text::timestamptz from gone
    on conflict (project_id, entry) do update set erased_at = excluded.erased_at
    returning entry`
  return confirmCompleted(erased, 'INSERT')[0]
}
