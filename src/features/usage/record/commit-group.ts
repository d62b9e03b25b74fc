import type { Clock } from '../../../platform/clock.js'
import { DeadlineExceeded, deadline } from '../../../platform/deadline.js'
import { AppError } from '../../../platform/errors.js'
import type { UsageRow } from '../event.js'
import { type CommitFailure, classifyCommitFailure } from './commit-failure.js'

export type CommitDeps = {
  /** One statement in a transaction of its own; answers the places of the rows that it left out, as marked before. */
  readonly insert: (rows: readonly UsageRow[]) => Promise<readonly number[]>
  /** Makes the partitions that these rows need. */
  readonly ensurePartitions: (rows: readonly UsageRow[]) => Promise<unknown>
  readonly monotonicClock: Clock
  readonly pause: (ms: number) => Promise<unknown>
  /** A statement that has not answered after this long is taken for lost. */
  readonly commitMsMax: number
  /** How long a lost statement's outcome is looked for. */
  readonly outcomeMsMax: number
  readonly outcomePauseMs: number
}

type Outcome =
  | { readonly status: 'written'; readonly replayed: readonly number[] }
  | { readonly status: CommitFailure; readonly error: unknown }

/**
 * Writes a group, all of it or nothing; resolves once it is committed, with the places of the rows for which another
 * answer may be kept: whose marks were there, and of a group whose connection was lost all that have a mark. Throws the database's own error if an item is
 * to blame (the queue halves the group), else `database-unavailable`, whose detail says whether anything was written.
 */
export async function commitGroup(deps: CommitDeps, rows: readonly UsageRow[]): Promise<readonly number[]> {
  let outcome = await attempt(deps, rows, deps.commitMsMax)
  if (outcome.status === 'no-partition') outcome = await attemptWithPartition(deps, rows)
  if (outcome.status === 'unknown') outcome = await findOut(deps, rows)
  if (outcome.status === 'written') return outcome.replayed
  if (outcome.status !== 'not-written' && outcome.status !== 'no-partition') throw outcome.error
  throw unavailable('The database is not available; nothing was written.', outcome.error)
}

/**
 * Crash here, with the statement under way: the group is in the table or it is not, and no caller was told anything.
 */
async function attempt(deps: CommitDeps, rows: readonly UsageRow[], msMax: number): Promise<Outcome> {
  try {
    return { status: 'written', replayed: await deadline(deps.insert(rows), msMax) }
  } catch (error) {
    return { status: error instanceof DeadlineExceeded ? 'unknown' : classifyCommitFailure(error), error }
  }
}

async function attemptWithPartition(deps: CommitDeps, rows: readonly UsageRow[]): Promise<Outcome> {
  try {
    await deps.ensurePartitions(rows)
  } catch (error) {
    return { status: 'not-written', error }
  }
  return attempt(deps, rows, deps.commitMsMax)
}

/**
 * The connection went away while the statement was under way. Looking for the ids would not settle it: the old backend
 * may still be running and commit after the look. So the same rows, with the same ids, are sent again on another
 * connection, and the primary key decides. If they are in the table they are duplicates: written, once. If not, they
 * are written now. If the old backend still holds them uncommitted, the insert waits for its end. And if it wakes up
 * after all, it meets the rows, or the marks, and writes nothing. Only a database that stays away leaves the question open.
 */
async function findOut(deps: CommitDeps, rows: readonly UsageRow[]): Promise<Outcome> {
  const until = deps.monotonicClock() + deps.outcomeMsMax
  let last: unknown
  for (let left = deps.outcomeMsMax; left > 0; left = until - deps.monotonicClock()) {
    const outcome = await attempt(deps, rows, left)
    if (outcome.status === 'written') return outcome
    if (outcome.status === 'duplicate') return { status: 'written', replayed: markedPlaces(rows) }
    // What one item's value is to blame for failed the first time, too.
    if (outcome.status === 'poison') return outcome
    last = outcome.error
    await deps.pause(deps.outcomePauseMs)
  }
  const detail = 'The connection to the database was lost; the event may or may not have been written.'
  return { status: 'unknown', error: unavailable(detail, last) }
}

function markedPlaces(rows: readonly UsageRow[]): number[] {
  return rows.flatMap(({ mark }, place) => (mark === undefined ? [] : [place]))
}

function unavailable(detail: string, cause: unknown): AppError {
  return new AppError('database-unavailable', detail, { retryAfterSeconds: 1, cause })
}
