import type { ProjectId } from '../../../access/principal.js'
import type { Sql } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'
import { eraseRows } from '../../../db/erase-rows.js'
import type { Transact } from '../../../db/transact.js'
import type { ExportedPage } from '../../contract.js'
import { BATCH_LIMITS } from '../limits.js'
import { createBatchStore } from './batch-store.js'
import { createBatchWriter } from './batch-write-store.js'

type ExportPage = (projectId: ProjectId, after: string | null, rowsMax: number) => Promise<ExportedPage>

/** A row as the text of a JSON object, and where it stands. */
type Row = { readonly text: string; readonly cursor: string }

export type BatchStores = ReturnType<typeof createBatchStores>

/** All that batch receipts keep. */
export function createBatchStores({ sql, transact }: { readonly sql: Sql; readonly transact: Transact }) {
  return {
    store: createBatchStore(sql),
    writer: createBatchWriter({ sql, transact }),
    erase: (projectId: ProjectId, rowsMax: number) => eraseBatches(sql, projectId, rowsMax),
    export: createBatchExport(sql),
  }
}

/** What they hold of a project, by the types of the exported lines. */
function createBatchExport(sql: Sql): Readonly<Record<string, ExportPage>> {
  return {
    receipt_batch: async (projectId, after, rowsMax) => {
      const rows = await sql<Row[]>`
        select json_build_object('receipt_id', receipt_id, 'begun_at', begun_at, 'sealed_at', sealed_at,
          'member_count', member_count)::text as text, receipt_id as cursor
        from receipt_batches where project_id = ${projectId} and receipt_id > ${after ?? ''}
        order by receipt_id limit ${rowsMax}`
      return pageOf(rows, rowsMax)
    },
    receipt_member: async (projectId, after, rowsMax) => {
      const [receiptId = '', position = '-1'] = splitCursor(after)
      const rows = await sql<Row[]>`
        select json_build_object('receipt_id', receipt_id, 'position', position, 'log_id', log_id,
          'logged_at', logged_at)::text as text, concat(receipt_id, ' ', position) as cursor
        from receipt_members where project_id = ${projectId} and (receipt_id, position) > (${receiptId}, ${position}::text::integer)
        order by receipt_id, position limit ${rowsMax}`
      return pageOf(rows, rowsMax)
    },
    receipt_member_tile: async (projectId, after, rowsMax) => {
      const [receiptId = '', level = '-1', index = '-1'] = splitCursor(after)
      const most = Math.min(rowsMax, BATCH_LIMITS.exportTilesMax)
      const rows = await sql<Row[]>`
        select json_build_object('receipt_id', receipt_id, 'level', level, 'index', index,
          'hashes', translate(encode(hashes, 'base64'), E'\n', ''))::text as text,
          concat(receipt_id, ' ', level, ' ', index) as cursor
        from receipt_member_tiles where project_id = ${projectId}
          and (receipt_id, level, index) > (${receiptId}, ${level}::text::integer, ${index}::text::integer)
        order by receipt_id, level, index limit ${most}`
      return pageOf(rows, most)
    },
    receipt_coverage: async (projectId) => {
      const rows = await sql<Row[]>`
        select json_build_object('generation', generation, 'settled_until', settled_until,
          'arrived_until', arrived_until)::text as text, '' as cursor
        from receipt_coverage where project_id = ${projectId}`
      return { rows: rows.map(({ text }) => text), next: null }
    },
  }
}

/** A receipt's id holds no blank where it is one of a batch. */
function splitCursor(after: string | null): string[] {
  return after === null ? [] : after.split(' ')
}

function pageOf(rows: readonly Row[], rowsMax: number): ExportedPage {
  return { rows: rows.map(({ text }) => text), next: rows.length < rowsMax ? null : (rows.at(-1)?.cursor ?? null) }
}

/** Deletes at most `rowsMax` rows of what a project has of batches, and says how many. */
async function eraseBatches(sql: Sql, projectId: ProjectId, rowsMax: number): Promise<number> {
  const chunks = [
    { table: 'receipt_members', key: ['receipt_id', 'position'] },
    { table: 'receipt_member_tiles', key: ['receipt_id', 'level', 'index'] },
    { table: 'receipt_batches', key: ['receipt_id'] },
  ] as const
  for (const chunk of chunks) {
    const count = await eraseRows(sql, { ...chunk, projectId, rowsMax })
    if (count > 0) return count
  }
  return confirmCompleted(await sql`delete from receipt_coverage where project_id = ${projectId}`, 'DELETE').count
}
