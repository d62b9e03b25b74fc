import { type Backend, backendsFor, type Demand, type Fleet, type Policy, rank } from '../../core/routing/index.js'
import { AppError } from '../../platform/errors.js'

export type ChooseDeps = {
  readonly fleet: Pick<Fleet, 'look'>
  readonly backends: readonly Backend[]
  readonly policy: Policy
  readonly clock: () => number
}

export type Asked = {
  /** As it was asked for; undefined leaves the choice to the service. */
  readonly model: string | undefined
  /** What an alias of that name is bound to, primary first; null if it is bound to nothing. */
  readonly bound: readonly string[] | null
}

/**
 * The backends that may answer a request, in the order in which they are asked. What is needed of them is asked for only
 * if the policy compares it. Throws `model-not-found`.
 */
export function chooseCandidates(
  { fleet, backends, policy, clock }: ChooseDeps,
  { model, bound }: Asked,
  demandOf: () => Demand,
): readonly Backend[] {
  const found = backendsFor(model, bound ?? undefined, backends)
  if (!found.ok) {
    const isBound = found.reason === 'unserved'
    const what = isBound ? `No backend serves what '${model}' is bound to` : `No backend serves '${model}'`
    throw new AppError('model-not-found', `${what}; GET /v1/models lists what is served.`)
  }
  const isCompared = policy.strategy !== 'priority' && policy.strategy !== 'latency' && found.placed.length > 1
  const demand = isCompared ? demandOf() : ANY_DEMAND
  return rank(fleet.look(found.placed, clock()), policy, demand).map(({ backend }) => backend)
}

const ANY_DEMAND: Demand = { tokensIn: 0, tokensOut: 0, tier: 1 }
