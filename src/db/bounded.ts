import type postgres from 'postgres'
import { AppError } from '../platform/errors.js'

/**
 * A statement's rows, or `database-unavailable` after `msMax` milliseconds: the driver itself waits as long as TCP does,
 * which on a half-open connection is minutes. The statement is taken out of the driver's queue, or cancelled.
 */
export async function bounded<T extends readonly (object | undefined)[]>(
  query: postgres.PendingQuery<T>,
  msMax: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      query.cancel()
      reject(new AppError('database-unavailable', 'The database does not answer right now.', { retryAfterSeconds: 1 }))
    }, msMax)
  })
  const rows = Promise.resolve(query)
  // Once it is late, nobody waits for it: what cancelling does to it is no unhandled rejection.
  rows.catch(() => undefined)
  try {
    return (await Promise.race([rows, late])) as T
  } finally {
    clearTimeout(timer)
  }
}
