import {
  type Backend,
  backendName,
  backendsFor,
  chosenByHook,
  type Demand,
  type Fleet,
  type Policy,
  type Ranked,
  rank,
  type Tier,
} from '../../../core/routing/index.js'
import { AppError } from '../../../platform/errors.js'

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
  /** The tier that is wanted of a model that was left to the service. */
  readonly tier?: Tier | undefined
  /** The name of a backend that comes first if it is healthy and may answer. */
  readonly preferred?: string | undefined
}

/**
 * The backends that may answer a request, in the order in which they are asked. What is needed of them is asked for only
 * if the policy compares it. Throws `model-not-found`.
 */
export function chooseCandidates(
  { fleet, backends, policy, clock }: ChooseDeps,
  { model, bound, tier, preferred }: Asked,
  demandOf: () => Demand,
): readonly Ranked[] {
  const found = backendsFor(model, bound ?? undefined, backends)
  if (!found.ok) {
    const isBound = found.reason === 'unserved'
    const what = isBound ? `No backend serves what '${model}' is bound to` : `No backend serves '${model}'`
    throw new AppError('model-not-found', `${what}; GET /v1/models lists what is served.`)
  }
  const isByTier = found.by === 'auto' && tier !== undefined
  const { strategy } = isByTier ? { strategy: 'tier' as const } : policy
  const isCompared = strategy !== 'priority' && strategy !== 'latency' && found.placed.length > 1
  const demand = isCompared ? { ...demandOf(), ...(tier === undefined ? {} : { tier }) } : ANY_DEMAND
  const ranked = rank(fleet.look(found.placed, clock()), { ...policy, strategy }, demand)
  const first = ranked.find(({ backend, health }) => health === 'healthy' && backendName(backend) === preferred)
  return first === undefined ? ranked : chosenByHook(ranked, preferred)
}

const ANY_DEMAND: Demand = { tokensIn: 0, tokensOut: 0, tier: 1 }
