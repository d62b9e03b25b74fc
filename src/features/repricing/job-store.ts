import { and, desc, eq, isNull, type SQL } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import type { Sql, Statements } from '../../db/client.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { eraseRows } from '../../db/erase-rows.js'
import type { Orm } from '../../db/orm.js'
import { repriceJobs } from '../../db/tables/repricing.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import type { ExportedPage } from '../contract.js'
import type { Claim, Job, JobStatus, NewJob, Reached } from './job.js'
import { REPRICE_LIMITS } from './limits.js'
import { type Found, NOTHING_FOUND } from './tally.js'

export type JobStore = ReturnType<typeof createJobStore>
/** `isOver`: nothing follows what was reached. */
type Advance = { readonly reached: Reached | null; readonly found: Found; readonly isOver: boolean }

/** Times are the database's: the clocks of instances may differ. */
export function createJobStore({ sql, orm }: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    add,
    findOpen: async (projectId: ProjectId) =>
      (await select(orm, and(eq(ofProject, projectId), isNull(finishedAt)), 1))[0],
    find: async (projectId: ProjectId, id: string) =>
      (await select(orm, and(eq(ofProject, projectId), eq(named, id)), 1))[0],
    /** Newest first. */
    list: (projectId: ProjectId) => select(orm, eq(ofProject, projectId), REPRICE_LIMITS.pageJobsMax),
    cancel: (projectId: ProjectId, id: string) => cancel(sql, projectId, id),
    claimDue: (lease: string) => claimDue(sql, orm, lease),
    advance,
    giveBack: (claim: Claim, failure: string | null) => giveBack(sql, claim, failure),
    eraseChunk: (projectId: ProjectId, rowsMax: number): Promise<number> =>
      eraseRows(sql, { table: 'reprice_jobs', key: ['id'], projectId, rowsMax }),
    exportPage: async (projectId: ProjectId, after: string | null, rowsMax: number): Promise<ExportedPage> => {
      const rows = await sql<{ id: string; text: string }[]>`
        select id, (to_jsonb(job) - 'lease')::text as text from reprice_jobs as job
        where project_id = ${projectId} ${after === null ? sql`` : sql`and id > ${after}::uuid`} order by id limit ${rowsMax}`
      const last = rows.length < rowsMax ? undefined : rows.at(-1)
      return { rows: rows.map(({ text }) => text), next: last?.id ?? null }
    },
  }
}

const { projectId: ofProject, id: named, finishedAt, lease: ofLease } = repriceJobs

async function select(orm: Orm, which: SQL | undefined, rowsMax: number): Promise<readonly Job[]> {
  const rows = await orm.select().from(repriceJobs).where(which).orderBy(desc(named)).limit(rowsMax)
  // A CHECK of the table lets no other status in; what was found is written here alone.
  return rows.map((row) => ({
    ...row,
    projectId: row.projectId as ProjectId,
    status: row.status as JobStatus,
    found: row.found as Found,
  }))
}

/** Adds a job, unless one of the project is not over; says whether it did. The oldest that are over make room. */
async function add(tx: Tx, { projectId, id, keyId, ...job }: NewJob): Promise<boolean> {
  const inTx = sqlOf(tx)
  const at = await readClock(inTx)
  const added = await inTx`
    insert into reprice_jobs (project_id, id, key_id, created_at, from_at, until_at, registry_version, dry_run, status,
      found, due_at, failures)
    values (${projectId}, ${id}, ${keyId}, ${at}, ${job.fromAt}, ${job.untilAt}, ${job.registryVersion}, ${job.dryRun},
      'waiting', ${JSON.stringify(NOTHING_FOUND)}, ${at}, 0)
    on conflict (project_id) where finished_at is null do nothing`
  if (confirmCompleted(added, 'INSERT').count === 0) return false
  await inTx`
    delete from reprice_jobs where project_id = ${projectId} and finished_at is not null and id not in (
      select id from reprice_jobs where project_id = ${projectId} order by id desc limit ${REPRICE_LIMITS.jobsKeptMax})`
  return true
}

/** Ends a job that is not over. A chunk that is being written is waited for; none follows. */
async function cancel(sql: Sql, projectId: ProjectId, id: string): Promise<boolean> {
  const now = await readClock(sql)
  const ended = await sql`
    update reprice_jobs set status = 'cancelled', finished_at = ${now}, due_at = null, lease = null
    where project_id = ${projectId} and id = ${id} and finished_at is null`
  return confirmCompleted(ended, 'UPDATE').count > 0
}

/** Takes the job up that waits longest, of any project. Of two instances that try this at once one gets it. */
async function claimDue(sql: Sql, orm: Orm, lease: string): Promise<Claim | undefined> {
  const now = await readClock(sql)
  const [due] = await sql<{ projectId: ProjectId; id: string }[]>`
    select project_id as "projectId", id from reprice_jobs where due_at <= ${now} and finished_at is null
    order by due_at limit 1`
  if (due === undefined) return undefined
  const { projectId, id } = due
  const taken = await sql`
    update reprice_jobs set lease = ${lease}::uuid, status = 'running', due_at = ${leaseEnd(now)}
    where project_id = ${projectId} and id = ${id} and due_at <= ${now} and finished_at is null`
  if (confirmCompleted(taken, 'UPDATE').count === 0) return undefined
  const [job] = await select(orm, and(eq(ofProject, projectId), eq(named, id), eq(ofLease, lease)), 1)
  return job === undefined ? undefined : { job, lease }
}

/** A statement of its own: Citus refuses one that changes rows by a clock. */
const readClock = async (on: Statements): Promise<Date> =>
  confirmRow(await on<{ now: Date }[]>`select now() as now`).now

const leaseEnd = (now: Date): Date => new Date(now.getTime() + REPRICE_LIMITS.leaseMs)

/** Moves the job on, and holds it until the transaction ends. False if it is not this turn's any more, or over. */
async function advance(tx: Tx, { job, lease }: Claim, { reached, found, isOver }: Advance): Promise<boolean> {
  const inTx = sqlOf(tx)
  const now = await readClock(inTx)
  const moved = await inTx`
    update reprice_jobs set reached_at = ${reached?.loggedAt ?? null}::text::timestamptz, reached_id = ${reached?.id ?? null},
      found = ${JSON.stringify(found)}, failures = 0, last_failure = null, status = ${isOver ? 'done' : 'running'},
      due_at = ${isOver ? null : leaseEnd(now)}, finished_at = ${isOver ? now : null}
    where project_id = ${job.projectId} and id = ${job.id} and lease = ${lease}::uuid and finished_at is null`
  return confirmCompleted(moved, 'UPDATE').count > 0
}

/** Lets others take the job up, after a pause if this turn failed. Too many failures in a row end it. */
async function giveBack(sql: Sql, { job, lease }: Claim, failure: string | null): Promise<void> {
  const { failuresMax, failureCharactersMax, retryPauseMs } = REPRICE_LIMITS
  const mine = sql`project_id = ${job.projectId} and id = ${job.id} and lease = ${lease}::uuid and finished_at is null`
  const now = await readClock(sql)
  if (failure === null) {
    await sql`update reprice_jobs set lease = null, due_at = ${now} where ${mine}`
    return
  }
  await sql`
    update reprice_jobs set lease = null, failures = failures + 1, last_failure = ${failure.slice(0, failureCharactersMax)},
      due_at = ${new Date(now.getTime() + retryPauseMs)} where ${mine}`
  await sql`
    update reprice_jobs set status = 'failed', finished_at = ${now}, due_at = null
    where project_id = ${job.projectId} and id = ${job.id} and finished_at is null and failures >= ${failuresMax}`
}
