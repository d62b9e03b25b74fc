import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { ExportedPage } from '../contract.js'

/** What a project's receipts are counted up to, as the one line that an export has of it. */
export async function exportChain(sql: Sql, projectId: ProjectId): Promise<ExportedPage> {
  const rows = await sql<{ lastSeq: string; lastEntry: Buffer | null; lastIssuedAt: Date | null }[]>`
    select last_seq::text as "lastSeq", last_entry as "lastEntry", last_issued_at as "lastIssuedAt"
    from receipt_chains where project_id = ${projectId}`
  const lines = rows.map(({ lastSeq, lastEntry, lastIssuedAt }) => ({
    last_seq: Number(lastSeq),
    last_entry: lastEntry === null ? null : `sha256:${lastEntry.toString('hex')}`,
    last_issued_at: lastIssuedAt,
  }))
  return { rows: lines.map((line) => JSON.stringify(line)), next: null }
}
