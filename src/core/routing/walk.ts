import type { Backend } from './backend.js'
import type { Budget } from './budget.js'
import type { Fleet, Permit, RefusalReason } from './fleet.js'
import { type Outcome, verdictOf } from './outcome.js'
import type { Ranked } from './rank.js'

/** One attempt at one backend. It resolves as soon as the call can't fall back any more. */
export type Attempted<Value, Fault> =
  | { readonly status: 'failed'; readonly outcome: Outcome; readonly error: Fault }
  /** A whole answer, or a stream whose first content is here; `ended` tells how it ended, which the breaker counts. */
  | { readonly status: 'answering'; readonly value: Value; readonly ended: Promise<Outcome> }

type Refusal = {
  readonly backend: Backend
  readonly reason: RefusalReason
  readonly retryAtMs: number | undefined
}

type Failed<Fault> = { readonly backend: Backend; readonly outcome: Outcome; readonly error: Fault }

export type Walked<Value, Fault> =
  | {
      readonly status: 'answering'
      readonly backend: Backend
      readonly value: Value
      readonly failed: readonly Failed<Fault>[]
    }
  /** The last attempt failed, and there is no other candidate, no attempt left, no time left, or another would be wrong. */
  | { readonly status: 'failed'; readonly last: Failed<Fault>; readonly failed: readonly Failed<Fault>[] }
  /** Not one candidate may be called now. `retryAtMs` is the earliest time at which one may be. */
  | { readonly status: 'unavailable'; readonly retryAtMs: number | undefined; readonly refusals: readonly Refusal[] }
  /** The budget was used up before anything could be tried. */
  | { readonly status: 'spent' }

export type Walk<Value, Fault> = {
  readonly fleet: Pick<Fleet, 'admit'>
  /** In the order in which they are tried; each at most once. */
  readonly candidates: readonly Pick<Ranked, 'backend'>[]
  readonly budget: Budget
  readonly now: () => number
  readonly attempt: (backend: Backend) => Promise<Attempted<Value, Fault>>
}

/** Tries the candidates in their order until one answers. What `attempt` throws is thrown, once its permit is given back. */
export async function walk<Value, Fault>(work: Walk<Value, Fault>): Promise<Walked<Value, Fault>> {
  const failed: Failed<Fault>[] = []
  const refusals: Refusal[] = []
  for (const { backend } of work.candidates) {
    if (work.budget.attemptsLeft() <= 0 || work.budget.msLeft(work.now()) <= 0) break
    const admission = work.fleet.admit(backend, work.now())
    if (!admission.ok) {
      refusals.push({ backend, reason: admission.reason, retryAtMs: admission.retryAtMs })
      continue
    }
    work.budget.take(work.now())
    const attempted = await attemptOnce(work, backend, admission.permit)
    if (attempted.status === 'answering') return { status: 'answering', backend, value: attempted.value, failed }
    failed.push({ backend, outcome: attempted.outcome, error: attempted.error })
    if (verdictOf(attempted.outcome).step === 'stop') break
  }
  const last = failed.at(-1)
  if (last !== undefined) return { status: 'failed', last, failed }
  return refusals.length > 0 ? { status: 'unavailable', retryAtMs: earliest(refusals), refusals } : { status: 'spent' }
}

async function attemptOnce<Value, Fault>(
  { now, attempt }: Walk<Value, Fault>,
  backend: Backend,
  permit: Permit,
): Promise<Attempted<Value, Fault>> {
  const beganMs = now()
  const ownFault = (): void => permit.settle({ kind: 'own-fault' }, { nowMs: now() })
  let attempted: Attempted<Value, Fault>
  try {
    attempted = await attempt(backend)
  } catch (error) {
    ownFault()
    throw error
  }
  if (attempted.status === 'failed') {
    permit.settle(attempted.outcome, { nowMs: now() })
    return attempted
  }
  const latencyMs = now() - beganMs
  attempted.ended.then((outcome) => permit.settle(outcome, { nowMs: now(), latencyMs }), ownFault)
  return attempted
}

function earliest(refusals: readonly Refusal[]): number | undefined {
  const times = refusals.flatMap(({ retryAtMs }) => (retryAtMs === undefined ? [] : [retryAtMs]))
  return times.length > 0 ? Math.min(...times) : undefined
}
