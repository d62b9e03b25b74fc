import { NO_USAGE } from '../../core/chat/index.js'
import { type Backend, backendName } from '../../core/routing/index.js'
import { type Cancel, expireAfter } from '../../platform/deadline.js'
import { AppError } from '../../platform/errors.js'
import type { CallSlot, EndedAt } from './account.js'
import { type AttemptDeps, createAttempts } from './attempt.js'
import type { Attempt, AttemptAt, ChatCall, Served } from './call.js'
import { type Ledger, type LedgerDeps, openLedger } from './ledger.js'
import { GATEWAY_LIMITS } from './limits.js'

export type ServeDeps = AttemptDeps &
  Pick<LedgerDeps, 'clock' | 'isDurable' | 'keep'> & {
    /** Room for a row. Throws `overloaded`. */
    readonly keepRoom: (call: ChatCall) => CallSlot
    readonly certify: LedgerDeps['certify']
    readonly callMsMax: number
    readonly attemptsMax: number
    /** Calls under way, of all projects. */
    readonly inFlight: { count: number }
  }

/**
 * Serves a call by the first of these backends that answers. Room for its row is taken before the first is asked: a
 * call that could not be accounted for is not made. Throws `overloaded`, and what the last attempt failed with.
 */
export async function serveCall(deps: ServeDeps, call: ChatCall, candidates: readonly Backend[]): Promise<Served> {
  if (deps.inFlight.count >= GATEWAY_LIMITS.callsInFlightMax) {
    throw new AppError('overloaded', 'Too many calls are under way.', { retryAfterSeconds: 1 })
  }
  const slot = deps.keepRoom(call)
  deps.inFlight.count += 1
  const over = limitCall(deps, call)
  const onSettled = () => {
    deps.inFlight.count -= 1
    over.cancel()
  }
  const certify = call.wantsReceipt ? deps.certify : null
  const ledger = openLedger({ ...deps, slot, certify, onSettled }, call)
  const walked = await walk(candidates, deps.attemptsMax, createAttempts(deps, call, ledger, over.signal))
  const { attempt, backend } = walked
  const headers = {
    'X-LLM-Router-Model': backendName(backend),
    'X-LLM-Router-Tier': String(backend.tier),
    'X-LLM-Router-Attempts': String(ledger.attempts()),
    'X-LLM-Router-Cache': 'MISS',
  }
  if (attempt.status === 'answering') return { answer: attempt.value, headers }
  await settleFailure(deps, ledger, attempt, backend)
  const { error } = attempt
  throw new AppError(error.code, error.message, { ...error.extras, headers: { ...headers, ...error.extras.headers } })
}

async function settleFailure(deps: ServeDeps, ledger: Ledger, attempt: Attempt, backend: Backend): Promise<void> {
  const provider = deps.providers.get(backend.provider)
  if (provider === undefined || attempt.status !== 'failed') return
  const { kind, status } = attempt.outcome
  const at: EndedAt = { provider, model: backend.model }
  const outcome = status === undefined ? kind : `${kind} ${status}`
  await ledger.settle(at, { outcome, usage: NO_USAGE, isEstimated: false })
}

/** What the walk came to: the attempt that answered, or the last one that failed. */
type Walked = { readonly attempt: Attempt; readonly backend: Backend }

async function walk(candidates: readonly Backend[], attemptsMax: number, attemptAt: AttemptAt): Promise<Walked> {
  let last: Walked | undefined
  for (const backend of candidates.slice(0, attemptsMax)) {
    const attempt = await attemptAt(backend)
    last = { attempt, backend }
    if (attempt.status === 'answering' || attempt.error.code === 'upstream-refused') return last
    if (attempt.outcome.kind === 'cancelled' || attempt.outcome.kind === 'out-of-time') return last
  }
  if (last === undefined) throw new AppError('model-not-found', 'No backend serves this.')
  return last
}

/** Ends the call when its time is over, or some time after its caller left: until then its usage may still come. */
function limitCall(deps: ServeDeps, { signal }: ChatCall) {
  const over = new AbortController()
  const end = () => over.abort()
  const cancelDeadline = expireAfter(deps.callMsMax, end)
  let cancelDrain: Cancel = () => undefined
  const drain = () => {
    cancelDrain = expireAfter(deps.drainMsMax, end)
  }
  if (signal.aborted) drain()
  else signal.addEventListener('abort', drain, { once: true })
  return {
    signal: over.signal,
    cancel: () => {
      cancelDeadline()
      cancelDrain()
      signal.removeEventListener('abort', drain)
    },
  }
}
