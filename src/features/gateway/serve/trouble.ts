import type { ChatUsage } from '../../../core/chat/index.js'
import type { Outcome } from '../../../core/routing/index.js'
import { AppError } from '../../../platform/errors.js'
import { PROBLEMS } from '../../../platform/problem-catalogue.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** What went wrong between this service and an upstream. `told` is the upstream's own word, without its credential. */
export class UpstreamTrouble extends Error {
  override readonly name = 'UpstreamTrouble'
  readonly outcome: Outcome
  readonly told: { readonly message: string; readonly type: string | null } | null
  /** What had been used by then, if some of it was seen. */
  readonly seen: ChatUsage | null

  constructor(outcome: Outcome, told: UpstreamTrouble['told'] = null, seen: ChatUsage | null = null) {
    super(outcome.status === undefined ? outcome.kind : `${outcome.kind} ${outcome.status}`)
    this.outcome = outcome
    this.told = told
    this.seen = seen
  }
}

const WORDS: Readonly<Record<Exclude<Outcome['kind'], 'status'>, string>> = {
  answered: 'answered',
  refused: 'could not be reached',
  timeout: 'did not answer in time',
  cut: 'broke off its answer',
  garbage: 'gave an answer that cannot be read',
  'error-in-answer': 'answered with an error',
  cancelled: 'was not waited for: the caller left',
  'out-of-time': 'did not answer before the call had to end',
  'own-fault': 'could not be asked',
}

/** Credentials of the operator, an account, or a model that the upstream does not have: nothing that the caller sent. */
const OPERATORS_FAULT: readonly (number | undefined)[] = [401, 402, 403, 404]
const PASSING: readonly (number | undefined)[] = [408, 409, 425, 429]

/** The error of a call whose last attempt ended so. `name` is the backend's. */
export function explainTrouble(trouble: UpstreamTrouble, name: string): AppError {
  const { outcome, told } = trouble
  const { kind, status, retryAfterMs } = outcome
  const isRefusal = kind === 'status' && status !== undefined && status >= 400 && status < 500
  if (isRefusal && !OPERATORS_FAULT.includes(status) && !PASSING.includes(status)) {
    const said = told?.message || PROBLEMS['upstream-refused'].title
    return new AppError('upstream-refused', said, told?.type == null ? {} : { upstreamType: told.type })
  }
  // A client library would try again by itself, twice; what can be tried was tried here.
  const headers = { 'x-should-retry': 'false' }
  if (status === 429) {
    const seconds = Math.ceil((retryAfterMs ?? 1_000) / 1_000)
    const retryAfterSeconds = Math.min(Math.max(seconds, 1), GATEWAY_LIMITS.retryAfterSecondsMax)
    return new AppError('too-many-requests', `${name} takes no more requests for now.`, { retryAfterSeconds, headers })
  }
  const what = kind === 'status' ? `answered with status ${status}` : WORDS[kind]
  return new AppError('upstream-failed', `${name} ${what}.`, { headers })
}
