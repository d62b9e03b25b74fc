import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import type { ExportedPage } from '../contract.js'
import type { ReceiptIdentity } from './receipt.js'

export type ErasureStore = ReturnType<typeof createErasureStore>

/** Receipts that were erased one by one, of which the place in the chain and in the log stays. */
export function createErasureStore(sql: Sql) {
  return {
    /** Takes a receipt's body away and remembers its entry; undefined if there is no such receipt. */
    erase: async ({ projectId, id }: ReceiptIdentity, at: Date): Promise<{ entry: Buffer } | undefined> => {
      const erased = await sql<{ entry: Buffer }[]>`
        with gone as (
          delete from receipts where project_id = ${projectId} and id = ${id} returning project_id, entry, seq
        )
        insert into receipt_erasures (project_id, entry, seq, erased_at)
        select project_id, entry, seq, ${at.toISOString()}::text::timestamptz from gone
        on conflict (project_id, entry) do update set erased_at = excluded.erased_at
        returning entry`
      return confirmCompleted(erased, 'INSERT')[0]
    },

    eraseChunk: async (projectId: ProjectId, rowsMax: number): Promise<number> => {
      const gone = await sql`
        delete from receipt_erasures where project_id = ${projectId}
          and entry in (select entry from receipt_erasures where project_id = ${projectId} limit ${rowsMax})`
      return confirmCompleted(gone, 'DELETE').count
    },

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
