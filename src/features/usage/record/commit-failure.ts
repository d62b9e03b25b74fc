import { classifyFailure } from '../../../db/failure.js'

/**
 * What a failed group insert says of the group. A group is one statement, so it is written whole or not at all.
 * - `poison`: not written, a value of one item is to blame.
 * - `duplicate`: its ids are in the table.
 * - `no-partition`: not written, its month has no partition.
 * - `not-written`: not written, and the database is to blame: it was never reached, or it said so itself.
 * - `unknown`: the connection went away while the statement was under way.
 * - `defect`: not written, for a reason that is not known here.
 */
export type CommitFailure = 'poison' | 'duplicate' | 'no-partition' | 'not-written' | 'unknown' | 'defect'

/** The driver's own codes for a statement that it never sent, and ours. */
const NEVER_SENT = new Set(['CONNECT_TIMEOUT', 'CONNECTION_ENDED', 'ECONNREFUSED', 'QUERY_NOT_SENT'])
/** System calls that fail before there is a connection. */
const CONNECTING = new Set(['connect', 'getaddrinfo'])
/**
 * The backend dies or loses its client: that can strike between the commit and its answer. All other SQLSTATEs are
 * answers of a living backend, which rolled the statement back (57P03 refuses a new connection).
 */
const DYING = /^(57P0[1245]|08...)$/
/** Each has a digit; EPIPE is no SQLSTATE. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/

export function classifyCommitFailure(error: unknown): CommitFailure {
  const { code, syscall, constraint } = partsOf(error)
  const failure = classifyFailure(error)
  if (code === '23505') return 'duplicate'
  // A missing partition shares its SQLSTATE with CHECK constraints, but names none.
  if (code === '23514' && constraint === undefined) return 'no-partition'
  if (failure === 'data') return 'poison'
  if (failure === 'too-slow') return 'not-written'
  if (failure === 'other') return 'defect'
  if (CONNECTING.has(syscall) || NEVER_SENT.has(code)) return 'not-written'
  return SQLSTATE.test(code) && !DYING.test(code) ? 'not-written' : 'unknown'
}

function partsOf(error: unknown): { code: string; syscall: string; constraint: unknown } {
  if (!(error instanceof Error)) return { code: '', syscall: '', constraint: undefined }
  const { code, syscall, constraint_name: constraint }: Record<string, unknown> = { ...error }
  return { code: typeof code === 'string' ? code : '', syscall: typeof syscall === 'string' ? syscall : '', constraint }
}
