import type { Backend, Tier } from './backend.js'
import type { Health } from './pool.js'

export const STRATEGIES = ['priority', 'cost', 'latency', 'weighted', 'tier'] as const

export type Strategy = (typeof STRATEGIES)[number]

export type Policy = {
  readonly strategy: Strategy
  /** Of `weighted`: what cost and latency count, each as a share of the highest among the candidates. */
  readonly weights: { readonly cost: number; readonly latency: number }
}

export const DEFAULT_POLICY: Policy = { strategy: 'priority', weights: { cost: 0.6, latency: 0.4 } }

/** What a call is thought to need; the estimates compare costs only. */
export type Demand = { readonly tokensIn: number; readonly tokensOut: number; readonly tier: Tier }

/** One backend that may answer a call, with what is known of it now. */
export type Ranked = {
  readonly backend: Backend
  /** Its place in the list that an alias is bound to; 0 for all where there is no list. */
  readonly place: number
  readonly health: Health
  readonly inFlight: number
  readonly latencyMs: number | undefined
}

const HEALTH_ORDER: Readonly<Record<Health, number>> = { healthy: 0, degraded: 1, down: 2 }

/**
 * What a call of such a size would cost there, in USD; null if that is not known. For comparing alone: money that is kept
 * is never a double.
 */
export function estimatedCost(backend: Backend, { tokensIn, tokensOut }: Demand): number | null {
  const { costPerThousandIn, costPerThousandOut } = backend
  if (costPerThousandIn === null && costPerThousandOut === null) return null
  return ((costPerThousandIn ?? 0) * tokensIn + (costPerThousandOut ?? 0) * tokensOut) / 1_000
}

/**
 * The order in which backends are tried: healthy before degraded before down, then the place in the alias's list, then
 * the policy, then fewer in flight, then the order of the configuration. Total: equal input gives an equal order.
 */
export function rank(candidates: readonly Ranked[], policy: Policy, demand: Demand): readonly Ranked[] {
  const score = scoreOf(candidates, policy, demand)
  const keyed = candidates.map((candidate) => {
    const { backend, health, place, inFlight } = candidate
    return { candidate, key: [HEALTH_ORDER[health], place, ...score(candidate), inFlight, backend.order] }
  })
  return keyed.sort((one, other) => compare(one.key, other.key)).map(({ candidate }) => candidate)
}

type Score = (candidate: Ranked) => readonly number[]

function scoreOf(candidates: readonly Ranked[], { strategy, weights }: Policy, demand: Demand): Score {
  const costOf = ({ backend }: Ranked): number | null => estimatedCost(backend, demand)
  // What is not known may be dear: it comes after every price.
  const cost: Score = (candidate) => (costOf(candidate) === null ? [1, 0] : [0, costOf(candidate) ?? 0])
  // What was never called comes first: only a call can tell how slow it is.
  const latencyOf = ({ latencyMs }: Ranked): number => latencyMs ?? 0
  const highest = (amountOf: (one: Ranked) => number | null): number =>
    Math.max(...candidates.map((candidate) => amountOf(candidate) ?? 0))
  const [dearest, slowest] = strategy === 'weighted' ? [highest(costOf), highest(latencyOf)] : [0, 0]
  const share = (value: number, most: number): number => (most > 0 ? value / most : 0)
  const costShare = (value: number | null): number => (value === null ? 1 : share(value, dearest))
  const scores: Readonly<Record<Strategy, Score>> = {
    priority: ({ backend }) => [backend.priority],
    cost,
    latency: (candidate) => [latencyOf(candidate)],
    weighted: (candidate) => [
      weights.cost * costShare(costOf(candidate)) + weights.latency * share(latencyOf(candidate), slowest),
    ],
    tier: (candidate) => [tierDistance(candidate.backend.tier, demand.tier), ...cost(candidate)],
  }
  return scores[strategy]
}

/** The wanted tier, the ones above it from below, and only then the ones under it from above. */
const tierDistance = (tier: Tier, wanted: Tier): number => (tier >= wanted ? tier - wanted : 3 + wanted - tier)

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
