import type { ProjectId } from '../../access/principal.js'
import type { Transact, Tx } from '../../db/transact.js'
import type { Claim, Job, Reached } from './job.js'
import type { JobStore } from './job-store.js'
import { REPRICE_LIMITS } from './limits.js'
import { addDifferences, type Difference } from './tally.js'

/** An event with what it costs now and at other prices, out of another feature. */
export type RepricedEvent = Omit<Difference, 'certified'> & {
  readonly id: string
  readonly loggedAt: string
  readonly before: object
  readonly after: object
  /** What it would cost, if that stands beside a certified cost already. */
  readonly beside: { readonly cost: string } | null
}
/** The price of a model at a time in milliseconds since the epoch; undefined: the event is left as it is. */
export type PriceAt<Found> = (provider: string, model: string, atMs: number) => Promise<Found | undefined>
type Query = {
  readonly period: { readonly fromMs: number; readonly untilMs: number }
  readonly after: Reached | null
  readonly rowsMax: number
}
/** What repricing needs of the feature that records events. */
type Usage<Event extends RepricedEvent, Found> = {
  readonly price: (
    at: PriceAt<Found>,
    projectId: ProjectId,
    query: Query,
  ) => Promise<{ readonly events: readonly Event[]; readonly skipped: number; readonly isLast: boolean }>
  /** Until the transaction ends, nothing else changes prices of the project, and nothing of it is certified. */
  readonly hold: (tx: Tx, projectId: ProjectId) => Promise<void>
  /** Events, their sums and what they were priced with before. Throws if one was priced meanwhile. */
  readonly rewrite: (
    tx: Tx,
    projectId: ProjectId,
    changes: readonly (Event & { readonly certified: boolean; readonly stamp: object })[],
  ) => Promise<void>
}
/** Those of a project's events whose cost a receipt certifies, or is about to. */
type Claimed = (tx: Tx, projectId: ProjectId, ids: readonly string[]) => Promise<ReadonlySet<string>>

export type ChunkDeps<Event extends RepricedEvent, Found> = {
  readonly transact: Transact
  readonly usage: Usage<Event, Found>
  readonly claimed: Claimed
  readonly store: Pick<JobStore, 'advance'>
}

/**
 * Reprices the next events of a job; gives the job as it is then, or undefined if it was taken away or cancelled. The
 * prices are looked up before the transaction, which refuses events that were priced meanwhile.
 *
 * Crash before the commit: nothing happened. After it: events, sums and the place that was reached are those of the
 * chunk, and whoever takes the job up goes on behind it.
 */
export async function runChunk<Event extends RepricedEvent, Found>(
  { transact, usage, claimed, store }: ChunkDeps<Event, Found>,
  priceAt: PriceAt<Found>,
  { job, lease }: Claim,
): Promise<Job | undefined> {
  const { projectId } = job
  const period = { fromMs: job.fromAt.getTime(), untilMs: job.untilAt.getTime() }
  const query = { period, after: reachedOf(job), rowsMax: REPRICE_LIMITS.chunkRowsMax }
  const { events, skipped, isLast } = await usage.price(priceAt, projectId, query)
  const differing = events.filter(({ before, after, beside }) => before !== after || beside !== null)
  return transact(async (tx) => {
    // The project's prices before the job: whoever certifies waits for a chunk, and a chunk for no job.
    if (differing.length > 0) await usage.hold(tx, projectId)
    const ids = differing.map(({ id }) => id)
    const certified = ids.length > 0 ? await claimed(tx, projectId, ids) : new Set<string>()
    const marked = events.map((event) => ({ ...event, certified: certified.has(event.id) }))
    const reached = events.at(-1) ?? query.after
    const found = addDifferences(job.found, marked, skipped)
    if (!(await store.advance(tx, { job, lease }, { reached, found, isOver: isLast }))) return undefined
    const changes = job.dryRun ? [] : marked.filter(isToBeWritten)
    const stamp = { job_id: job.id, repriced_at: new Date().toISOString() }
    await usage.rewrite(
      tx,
      projectId,
      changes.map((change) => ({ ...change, stamp })),
    )
    const [reachedAt, reachedId] = reached === null ? [null, null] : [new Date(reached.loggedAt), reached.id]
    return { ...job, found, reachedAt, reachedId, status: isLast ? 'done' : 'running' }
  })
}

/** Of a certified event only what stands beside its cost may change. */
function isToBeWritten({ certified, before, after, beside }: RepricedEvent & { readonly certified: boolean }): boolean {
  return certified ? (beside?.cost ?? before.cost) !== after.cost : before !== after
}

function reachedOf({ reachedAt, reachedId }: Job): Reached | null {
  return reachedAt === null || reachedId === null ? null : { loggedAt: reachedAt.toISOString(), id: reachedId }
}
