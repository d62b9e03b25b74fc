import { DATABASE_LIMITS } from './limits.js'
/** A query of the driver, as far as it matters how long it waits. */
export type IssuedQuery = {
  /** The session that it was sent to; null before that. */
  readonly state: object | null
  reject(error: Error): void
  /** Takes it out of the queue, if it was not sent yet. */
  cancel(): void
}

/** No connection came free, or none could be made, in time. The server has not heard of the query. */
export class QueryNotSent extends Error {
  override readonly name = 'QueryNotSent'
  readonly code = 'QUERY_NOT_SENT'
  override readonly message = 'No connection to the database came free in time.'
}

/** No answer came in time. What the query did, or still does, is not known. */
export class QueryTimedOut extends Error {
  override readonly name = 'QueryTimedOut'
  readonly code = 'QUERY_TIMED_OUT'
  override readonly message = 'The database did not answer in time.'
}

/**
 * Lets queries wait at most `msMax` for a connection: tell it of each that is not sent at once. Once a query is sent,
 * the limits of its session and of its connection hold. One sweep for all of them, four times a second: a timer for each
 * would cost the hot path, and until the sweep a query that is over is kept here with its parameters.
 */
export function limitWaiting(msMax: number): (query: IssuedQuery) => void {
  const waiting = new Map<IssuedQuery, number>()
  const sweepLater = () => setTimeout(sweep, DATABASE_LIMITS.waitingSweepMs).unref()

  const sweep = () => {
    const now = performance.now()
    for (const [query, dueAt] of waiting) {
      if (query.state === null && now < dueAt) continue
      waiting.delete(query)
      if (query.state === null) refuse(query)
    }
    if (waiting.size > 0) sweepLater()
  }

  return (query) => {
    if (waiting.size === 0) sweepLater()
    waiting.set(query, performance.now() + msMax)
  }
}

/**
 * Gives up a query whose answer is not waited for any more, and says what that means for it. One that was sent runs on:
 * a cancel request could hit the next one.
 */
export function giveUp(query: IssuedQuery): QueryNotSent | QueryTimedOut {
  return query.state === null ? refuse(query) : new QueryTimedOut()
}

function refuse(query: IssuedQuery): QueryNotSent {
  const error = new QueryNotSent()
  query.reject(error)
  query.cancel()
  return error
}
