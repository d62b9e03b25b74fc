import type postgres from 'postgres'
import { deadline } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { giveUp, type IssuedQuery } from './waiting.js'

/**
 * A statement's rows, or `database-unavailable` after `msMax` milliseconds: for what shall be answered sooner than the
 * limits of every statement allow. One that was not sent by then is never sent.
 */
export function bounded<T extends readonly (object | undefined)[]>(
  query: postgres.PendingQuery<T>,
  msMax: number,
): Promise<postgres.RowList<T>> {
  return deadline(Promise.resolve(query), msMax, () => {
    const cause = giveUp(query as unknown as IssuedQuery)
    const detail = 'The database does not answer right now.'
    return new AppError('database-unavailable', detail, { retryAfterSeconds: 1, cause })
  })
}
