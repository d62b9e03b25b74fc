import { AppError } from '../platform/errors.js'

const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // No file is left for a connection, in this process or on this machine.
  'EMFILE',
  'ENFILE',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  // No connection came free in time, no answer came in time (waiting.ts).
  'QUERY_NOT_SENT',
  'QUERY_TIMED_OUT',
  // A write's answer that does not say so (confirm.ts).
  'WRITE_UNCONFIRMED',
])

/** `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`, `database_dropped`, `idle_session_timeout`. */
const SHUTDOWN = /^57P0[1-5]$/
/** Connection exceptions (08), too many connections and out of disk or memory (53), read-only standby (25006). */
const OUT_OF_REACH = /^(08...|53...|25006)$/
/** The login fails: the password or the role is not what it was (28), or the database is gone (3D000). */
const SHUT_OUT = /^(28...|3D000)$/
/**
 * A statement that was cancelled, a lock that did not come in time, a deadlock, a conflict of transactions: try again.
 */
const TOO_SLOW = /^(57014|55P03|40P01|40001)$/
/** Data exceptions, and programs that a value made too large: the fault of what was sent. */
const DATA_FAULT = /^(22...|23...|54...)$/

/** `shut-out`: nothing was sent. It lasts until an operator mends it, so that a start does not wait for its end. */
export type DatabaseFailure = 'unavailable' | 'shut-out' | 'too-slow' | 'data' | 'other'

/** What a rejected statement means, through the wrapper of Drizzle or our own if there is one. */
export function classifyFailure(error: unknown): DatabaseFailure {
  const code = failureCode(error)
  if (code === undefined) return 'other'
  if (UNAVAILABLE_CODES.has(code) || SHUTDOWN.test(code) || OUT_OF_REACH.test(code)) return 'unavailable'
  if (SHUT_OUT.test(code)) return 'shut-out'
  if (TOO_SLOW.test(code)) return 'too-slow'
  return DATA_FAULT.test(code) ? 'data' : 'other'
}

/** Whether the connection went away while a statement was under way: it may or may not have been committed. */
export function isOutcomeUnknown(error: unknown): boolean {
  const code = failureCode(error)
  return (
    code !== undefined &&
    code !== 'ECONNREFUSED' &&
    code !== 'CONNECT_TIMEOUT' &&
    code !== 'QUERY_NOT_SENT' &&
    classifyFailure(error) === 'unavailable'
  )
}

function failureCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof AppError) return failureCode(error.cause)
  if ('code' in error && typeof error.code === 'string') return error.code
  return failureCode(error.cause)
}
