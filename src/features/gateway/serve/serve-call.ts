import {
  type Backend,
  type Budget,
  backendName,
  createBudget,
  type Fleet,
  type RefusalReason,
  walk,
} from '../../../core/routing/index.js'
import { type Cancel, expireAfter } from '../../../platform/deadline.js'
import { AppError } from '../../../platform/errors.js'
import { invariant } from '../../../platform/invariant.js'
import { createStop } from '../../../platform/stop.js'
import type { CallSlot, EndedAt } from '../account/account.js'
import { type Ledger, type LedgerDeps, openLedger } from '../account/ledger.js'
import type { AttemptFailure, CallAnswer, ChatCall, Served } from '../call.js'
import { GATEWAY_LIMITS } from '../limits.js'
import { type AttemptDeps, createAttempts } from './attempt.js'
import type { EndedBy } from './receive-answer.js'
import { NOTHING_SPENT } from './spent.js'

export type ServeDeps = AttemptDeps &
  Pick<LedgerDeps, 'clock' | 'isDurable' | 'keep' | 'certify' | 'onUncertified'> & {
    /** Room for a row. Throws `overloaded`. */
    readonly keepRoom: (call: ChatCall) => CallSlot
    readonly fleet: Pick<Fleet, 'admit'>
    readonly callMsMax: number
    readonly attemptsMax: number
    /** Calls under way, of all projects. */
    readonly inFlight: { count: number }
  }

/**
 * Serves a call by the first of these backends that answers. Room for its row is taken before the first is asked: a
 * call that could not be accounted for is not made. `own` is what a call has of its own: room for its row, and the budget of
 * several calls that belong together. Throws `overloaded`, `upstream-unavailable` if none may be asked now, and what the last attempt failed with.
 */
export async function serveCall(
  deps: ServeDeps,
  call: ChatCall,
  candidates: readonly Backend[],
  own: { readonly keepRoom?: ServeDeps['keepRoom']; readonly budget?: Budget } = {},
): Promise<Served> {
  if (deps.inFlight.count >= GATEWAY_LIMITS.callsInFlightMax) {
    throw new AppError('overloaded', 'Too many calls are under way.', { retryAfterSeconds: 1 })
  }
  const slot = (own.keepRoom ?? deps.keepRoom)(call)
  deps.inFlight.count += 1
  const budget = own.budget ?? createBudget(deps.attemptsMax, deps.clock() + deps.callMsMax)
  // Calls that may take equally long share a timer.
  const over = limitCall(deps, call, own.budget === undefined ? deps.callMsMax : budget.msLeft(deps.clock()))
  const onSettled = () => {
    deps.inFlight.count -= 1
    over.cancel()
  }
  const ledger = openLedger(deps, call, slot, onSettled)
  const walked = await walk<CallAnswer, AttemptFailure>({
    fleet: deps.fleet,
    budget,
    now: deps.clock,
    attempt: createAttempts(deps, call, ledger, over.stop),
    candidates: candidates.map((backend) => ({ backend })),
  })
  if (walked.status === 'answering') {
    const headers = { ...headersOf(walked.backend, ledger), ...receiptHeader(call, ledger) }
    return { answer: walked.value, headers }
  }
  const failed = failureOf(walked, candidates, deps.clock())
  await settleFailure(deps, ledger, failed)
  const { error } = failed
  const headers = { ...headersOf(failed.backend, ledger), ...error.extras.headers }
  throw new AppError(error.code, error.message, { ...error.extras, headers })
}

const headersOf = (backend: Backend, ledger: Ledger): Record<string, string> => ({
  'X-LLM-Router-Model': backendName(backend),
  'X-LLM-Router-Tier': String(backend.tier),
  'X-LLM-Router-Attempts': String(ledger.attempts()),
  'X-LLM-Router-Cache': 'MISS',
})

/** A stream's receipt is issued at its end, under the id that its head tells. */
function receiptHeader({ receiptId, isStream }: ChatCall, ledger: Ledger): Record<string, string> {
  if (receiptId === null || !(isStream || ledger.isCertified())) return {}
  return { 'X-LLMRing-Receipt-Id': receiptId }
}

type CallFailure = AttemptFailure & { readonly backend: Backend; readonly outcome: string }
type NotAnswered = Exclude<Awaited<ReturnType<typeof walk<CallAnswer, AttemptFailure>>>, { status: 'answering' }>

/** What becomes of a call that no backend answered, and what its row says. */
function failureOf(walked: NotAnswered, candidates: readonly Backend[], nowMs: number): CallFailure {
  if (walked.status === 'failed') {
    const { backend, outcome, error: failure } = walked.last
    return {
      backend,
      ...failure,
      outcome: outcome.status === undefined ? outcome.kind : `${outcome.kind} ${outcome.status}`,
    }
  }
  const [backend] = candidates
  invariant(backend !== undefined, 'a call has a candidate')
  if (walked.status === 'spent') {
    const error = new AppError('upstream-unavailable', 'No attempt or no time is left.', { retryAfterSeconds: 1 })
    return { backend, error, outcome: 'unavailable', spent: NOTHING_SPENT }
  }
  const whys = walked.refusals.map((refusal) => `${backendName(refusal.backend)} ${REFUSALS[refusal.reason]}`)
  const seconds = walked.retryAtMs === undefined ? 1 : Math.ceil((walked.retryAtMs - nowMs) / 1_000)
  const retryAfterSeconds = Math.min(Math.max(seconds, 1), GATEWAY_LIMITS.retryAfterSecondsMax)
  const shown = whys.slice(0, GATEWAY_LIMITS.refusalsShownMax).join('; ')
  const error = new AppError('upstream-unavailable', `No backend may be asked now: ${shown}.`, { retryAfterSeconds })
  return { backend, error, outcome: 'unavailable', spent: NOTHING_SPENT }
}

const REFUSALS: Readonly<Record<RefusalReason, string>> = {
  'breaker-open': 'failed too often',
  'asked-to-wait': 'asked for a pause',
  'provider-limit': 'has as many requests as its provider is configured to take',
}

async function settleFailure(deps: ServeDeps, ledger: Ledger, { backend, outcome, spent }: CallFailure): Promise<void> {
  const provider = deps.providers.get(backend.provider)
  invariant(provider !== undefined, 'a backend is of a provider that is configured')
  const at: EndedAt = { provider, model: backend.model }
  // If the answer was written down, and that failed, this is what failed.
  await ledger.settle(at, { outcome, ...spent }).catch(() => undefined)
}

/** Ends the call when its time is over, or some time after its caller left: until then its usage may still come. */
function limitCall(deps: ServeDeps, { signal }: ChatCall, callMs: number) {
  const stop = createStop<EndedBy>()
  const cancelDeadline = expireAfter(callMs, () => stop.stop('out-of-time'))
  let cancelDrain: Cancel = () => undefined
  const drain = () => {
    cancelDrain = expireAfter(deps.drainMsMax, () => stop.stop('cancelled'))
  }
  if (signal.aborted) drain()
  else signal.addEventListener('abort', drain, { once: true })
  return {
    stop,
    cancel: () => {
      cancelDeadline()
      cancelDrain()
      signal.removeEventListener('abort', drain)
    },
  }
}
