import type { CallResult } from './breaker.js'

/**
 * How one attempt at one backend ended, as far as routing is concerned. `refused`: no connection; `timeout`: connected,
 * and silent for too long; `cut`: the answer broke off; `garbage`: it cannot be read; `error-in-answer`: a success that
 * holds an error; `status`: answered with another status than 2xx; `cancelled`: the caller left; `out-of-time`: the
 * call's own deadline; `own-fault`: this service failed.
 */
type OutcomeKind =
  | 'answered'
  | 'refused'
  | 'timeout'
  | 'cut'
  | 'garbage'
  | 'error-in-answer'
  | 'status'
  | 'cancelled'
  | 'out-of-time'
  | 'own-fault'

export type Outcome = {
  readonly kind: OutcomeKind
  /** Of `status`. */
  readonly status?: number
  /** What the backend's `Retry-After` asked for. */
  readonly retryAfterMs?: number
}

/** `next`: the next candidate may answer. `stop`: no other attempt would be right. */
export type Verdict = {
  readonly step: 'next' | 'stop'
  /** What the breaker counts. */
  readonly result: CallResult
  /** What the pool notes of the backend's health. */
  readonly sign: 'fine' | 'trouble' | 'unreachable' | 'none'
}

const FAILED = { step: 'next', result: 'failure', sign: 'trouble' } as const
const UNREACHABLE = { step: 'next', result: 'failure', sign: 'unreachable' } as const
const SAYS_NOTHING = { step: 'stop', result: 'none', sign: 'none' } as const

const VERDICTS: Readonly<Record<Exclude<OutcomeKind, 'status'>, Verdict>> = {
  answered: { step: 'stop', result: 'success', sign: 'fine' },
  refused: UNREACHABLE,
  timeout: UNREACHABLE,
  cut: FAILED,
  garbage: FAILED,
  'error-in-answer': FAILED,
  cancelled: SAYS_NOTHING,
  'out-of-time': SAYS_NOTHING,
  'own-fault': SAYS_NOTHING,
}

/**
 * Statuses of 4xx after which another backend may answer. 401, 402, 403 and 404 are about the operator's credentials,
 * account or configuration with that backend, which the caller can't mend; 408, 425 and 429 are the backend's state.
 */
const FAILED_STATUSES: readonly number[] = [401, 402, 403, 404, 408, 425, 429]

/** What an outcome means for the call and for what is known of the backend. */
export function verdictOf({ kind, status }: Outcome): Verdict {
  if (kind !== 'status') return VERDICTS[kind]
  // A conflict is between requests: another backend may take this one, and nothing is wrong with the first.
  if (status === 409) return { step: 'next', result: 'none', sign: 'none' }
  if (status === undefined || status < 400 || status >= 500 || FAILED_STATUSES.includes(status)) return FAILED
  // The caller's fault. That the backend could tell means that it works.
  return { step: 'stop', result: 'success', sign: 'fine' }
}
