import type { ProjectId } from '../../../access/principal.js'
import { arrayText } from '../../../db/array-text.js'
import { bounded } from '../../../db/bounded.js'
import type { Sql } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'
import { sqlOf, type Tx } from '../../../db/transact.js'
import type { ExportedPage } from '../../contract.js'
import { RECEIPT_LIMITS } from '../limits.js'
import type { ChainHead } from '../receipt.js'

export type ChainStore = ReturnType<typeof createChainStore>

const HEAD = `select project_id as "projectId", last_seq::float8 as "lastSeq", encode(last_entry, 'hex') as "lastEntry",
  ceil(extract(epoch from last_issued_at) * 1000)::float8 as "lastIssuedAt"
  from receipt_chains where project_id = any($1::text::uuid[]) order by project_id for update`
const MOVE = `update receipt_chains set last_seq = head.seq, last_entry = head.entry, last_issued_at = head.issued_at
  from unnest($1::text::uuid[], $2::text::bigint[], $3::text::bytea[], $4::text::timestamptz[])
    as head (project_id, seq, entry, issued_at)
  where receipt_chains.project_id = head.project_id`

/** The rows whose locks order the receipts of a project. */
export function createChainStore(sql: Sql) {
  return {
    /** Sorted, so that two instances that make the same rows wait for each other instead of deadlocking. */
    open: async (projectIds: readonly ProjectId[], msMax: number): Promise<void> => {
      const making = sql`
        insert into receipt_chains (project_id, last_seq)
        select id, 0 from unnest(${arrayText(projectIds)}::text::uuid[]) as wanted (id) order by id
        on conflict do nothing`
      confirmCompleted(await bounded(making, msMax), 'INSERT')
    },

    /** Locks those that no other transaction has locked; the others are left out, as are projects without a row. */
    lockFree: async (tx: Tx, projectIds: readonly ProjectId[]): Promise<readonly ChainHead[]> =>
      sqlOf(tx).unsafe<ChainHead[]>(`${HEAD} skip locked`, [arrayText(projectIds)], { prepare: true }),

    /** Waits for the locks, for `chainLockMsMax` at most. For a transaction that has locked nothing else. */
    lock: async (tx: Tx, projectIds: readonly ProjectId[]): Promise<readonly ChainHead[]> => {
      const [, heads] = await Promise.all([
        sqlOf(tx)`select set_config('lock_timeout', ${String(RECEIPT_LIMITS.chainLockMsMax)}, true)`,
        sqlOf(tx).unsafe<ChainHead[]>(HEAD, [arrayText(projectIds)], { prepare: true }),
      ])
      return heads
    },

    /** For those that are locked in this transaction. */
    move: async (tx: Tx, heads: readonly ChainHead[]): Promise<void> => {
      const columns = [
        arrayText(heads.map(({ projectId }) => projectId)),
        arrayText(heads.map(({ lastSeq }) => lastSeq)),
        arrayText(heads.map(({ lastEntry }) => (lastEntry === null ? null : `\\x${lastEntry}`))),
        arrayText(heads.map(({ lastIssuedAt: at }) => (at === null ? null : new Date(at).toISOString()))),
      ]
      confirmCompleted(await sqlOf(tx).unsafe(MOVE, columns, { prepare: true }), 'UPDATE', heads.length)
    },
  }
}

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
