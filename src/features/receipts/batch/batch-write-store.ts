import type { ProjectId } from '../../../access/principal.js'
import type { Tile } from '../../../core/tlog/index.js'
import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'
import { sqlOf, type Transact, type Tx } from '../../../db/transact.js'
import { BATCH_LIMITS } from '../limits.js'
import type { BatchIdentity, Settled } from './batch-store.js'
import type { LoggedUsage, UsageLogs } from './logged-usage.js'

/** Members from a position on, and the tiles that they changed. */
type MemberPage = {
  readonly first: number
  readonly rows: readonly LoggedUsage[]
  readonly tiles: readonly Tile[]
}

export type BatchWriter = ReturnType<typeof createBatchWriter>

/** Batches in the making. */
export function createBatchWriter({ sql, transact }: { readonly sql: Sql; readonly transact: Transact }) {
  return {
    begin: async ({ projectId, receiptId }: BatchIdentity, at: Date): Promise<void> => {
      const begun = await sql`
        insert into receipt_batches (project_id, receipt_id, begun_at, member_count)
        values (${projectId}, ${receiptId}, ${at.toISOString()}, 0)`
      confirmCompleted(begun, 'INSERT', 1)
    },

    /**
     * Writes the members from a position on, and the tiles that they changed; false, and nothing is written, if one of
     * them does not cost any more what was read of it.
     */
    addMembers: (batch: BatchIdentity, page: MemberPage, isStill: UsageLogs['isStill']): Promise<boolean> =>
      transact(async (tx) => {
        if (!(await isStill(tx, batch.projectId, page.rows))) return false
        await insertMembers(tx, batch, page)
        await writeTiles(tx, batch, page.tiles)
        return true
      }),

    /** Under the lock of the project's chain, which orders the generations. */
    generation: async (tx: Tx, projectId: ProjectId): Promise<number> => {
      const [row] = await sqlOf(tx)<{ generation: number }[]>`
        select generation::float8 as generation from receipt_coverage where project_id = ${projectId}`
      return row?.generation ?? 0
    },

    /** Under the same lock: from here on the batch certifies its members. Throws where it was dropped. */
    seal,

    /** Writes down what is settled without a new batch, unless one was sealed or erased since `generation`. */
    settle: (projectId: ProjectId, generation: number, settled: Settled) => settle(sql, projectId, generation, settled),

    claimed,

    /** Forgets a batch that was not sealed, with its members. One that is being sealed is waited for, and stays. */
    drop: (batch: BatchIdentity) => drop(sql, batch),

    /** Batches that were begun so long ago and never sealed: whoever made them is gone. */
    leftovers: async (projectId: ProjectId, now: Date): Promise<readonly string[]> => {
      const before = new Date(now.getTime() - BATCH_LIMITS.leftoverAfterMs)
      const rows = await sql<{ receiptId: string }[]>`
        select receipt_id as "receiptId" from receipt_batches
        where project_id = ${projectId} and sealed_at is null and begun_at < ${before.toISOString()}
        limit ${BATCH_LIMITS.leftoversAtOnceMax}`
      return rows.map(({ receiptId }) => receiptId)
    },
  }
}

/**
 * Those of a project's calls that a batch certifies, or may come to: one that is not sealed yet counts, unless whoever
 * made it is gone.
 */
async function claimed(
  tx: Tx,
  projectId: ProjectId,
  logIds: readonly string[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const since = new Date(now.getTime() - BATCH_LIMITS.leftoverAfterMs)
  const rows = await sqlOf(tx)<{ logId: string }[]>`
    select distinct member.log_id as "logId"
    from unnest(${arrayText(logIds)}::text::uuid[]) as wanted (log_id)
    join receipt_members as member on member.project_id = ${projectId} and member.log_id = wanted.log_id
    join receipt_batches as batch on batch.project_id = member.project_id and batch.receipt_id = member.receipt_id
    where (batch.sealed_at is not null or batch.begun_at > ${since.toISOString()}::text::timestamptz)`
  return new Set(rows.map(({ logId }) => logId))
}

async function seal(
  tx: Tx,
  batch: BatchIdentity,
  sealed: { readonly at: Date; readonly count: number; readonly settled: Settled | null },
): Promise<void> {
  const { at, count, settled } = sealed
  const done = await sqlOf(tx)`
    update receipt_batches set sealed_at = ${at.toISOString()}, member_count = ${count}
    where project_id = ${batch.projectId} and receipt_id = ${batch.receiptId} and sealed_at is null`
  confirmCompleted(done, 'UPDATE', 1)
  const covered = await sqlOf(tx)`
    insert into receipt_coverage as coverage (project_id, generation, settled_until, arrived_until)
    values (${batch.projectId}, 1, ${settled?.settledUntil.toISOString() ?? null}::text::timestamptz,
      ${settled?.arrivedUntil.toISOString() ?? null}::text::timestamptz)
    on conflict (project_id) do update set generation = coverage.generation + 1,
      settled_until = greatest(coverage.settled_until, excluded.settled_until),
      arrived_until = greatest(coverage.arrived_until, excluded.arrived_until)`
  confirmCompleted(covered, 'INSERT', 1)
}

async function settle(sql: Sql, projectId: ProjectId, generation: number, settled: Settled): Promise<void> {
  const { settledUntil, arrivedUntil } = settled
  const noted = await sql`
    insert into receipt_coverage as coverage (project_id, generation, settled_until, arrived_until)
    values (${projectId}, ${generation}, ${settledUntil.toISOString()}::text::timestamptz,
      ${arrivedUntil.toISOString()}::text::timestamptz)
    on conflict (project_id) do update set
      settled_until = greatest(coverage.settled_until, excluded.settled_until),
      arrived_until = greatest(coverage.arrived_until, excluded.arrived_until)
    where coverage.generation = excluded.generation`
  confirmCompleted(noted, 'INSERT')
}

async function drop(sql: Sql, { projectId, receiptId }: BatchIdentity): Promise<void> {
  await sql`
    with gone as (
      delete from receipt_batches
      where project_id = ${projectId} and receipt_id = ${receiptId} and sealed_at is null returning receipt_id
    ), members as (
      delete from receipt_members where project_id = ${projectId} and receipt_id in (select receipt_id from gone)
    )
    delete from receipt_member_tiles where project_id = ${projectId} and receipt_id in (select receipt_id from gone)`
}

async function insertMembers(tx: Tx, batch: BatchIdentity, { first, rows }: MemberPage): Promise<void> {
  const inserted = await sqlOf(tx)`
    insert into receipt_members (project_id, receipt_id, position, log_id, logged_at)
    select ${batch.projectId}::uuid, ${batch.receiptId}, ${first} + ordinality - 1, log_id, logged_at
    from unnest(${arrayText(rows.map(({ id }) => id))}::text::uuid[],
      ${arrayText(rows.map(({ loggedAt }) => loggedAt.toISOString()))}::text::timestamptz[])
      with ordinality as input (log_id, logged_at, ordinality)`
  confirmCompleted(inserted, 'INSERT', rows.length)
}

/** The last tile of each level grows. */
async function writeTiles(tx: Tx, batch: BatchIdentity, tiles: readonly Tile[]): Promise<void> {
  const written = await sqlOf(tx)`
    insert into receipt_member_tiles (project_id, receipt_id, level, index, hashes)
    select ${batch.projectId}::uuid, ${batch.receiptId}, level, index, decode(hashes, 'hex')
    from unnest(${arrayText(tiles.map(({ level }) => level))}::text::integer[],
      ${arrayText(tiles.map(({ index }) => index))}::text::integer[],
      ${arrayText(tiles.map(({ hashes }) => Buffer.from(hashes).toString('hex')))}::text::text[])
      as input (level, index, hashes)
    on conflict (project_id, receipt_id, level, index) do update set hashes = excluded.hashes`
  confirmCompleted(written, 'INSERT', tiles.length)
}
