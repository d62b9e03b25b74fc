import { describe, expect, it } from 'vitest'
import {
  type Backend,
  chosenByHook,
  DEFAULT_POLICY,
  type Demand,
  estimatedCost,
  hookCandidates,
  type Ranked,
  rank,
  type Strategy,
  type Tier,
} from '../../src/core/routing/index.js'

type Given = Partial<Omit<Ranked, 'backend'>> & { backend?: Partial<Backend> }

/** Candidates by name; whatever is not said is equal for all. */
function candidates(given: Record<string, Given>): Ranked[] {
  return Object.entries(given).map(([model, { backend, ...rest }], order) => ({
    ...{ place: 0, health: 'healthy', inFlight: 0, latencyMs: 100, ...rest },
    backend: {
      ...{ provider: 'p', model, tier: 1, costPerThousandIn: 1, costPerThousandOut: 1, priority: 1, order },
      ...backend,
    },
  }))
}
const demand: Demand = { tokensIn: 1_000, tokensOut: 500, tier: 1 }
const ranked = (given: Record<string, Given>, strategy: Strategy = 'priority', wanted: Partial<Demand> = {}) =>
  rank(candidates(given), { ...DEFAULT_POLICY, strategy }, { ...demand, ...wanted })
    .map(({ backend }) => backend.model)
    .join(' ')

describe('the ranking', () => {
  it('by priority takes the lower first, and of equals the one with fewer in flight, then the first of the file', () => {
    expect(ranked({ a: { backend: { priority: 2 } }, b: { backend: { priority: 1 } } })).toBe('b a')
    expect(ranked({ a: { inFlight: 3 }, b: { inFlight: 1 }, c: { inFlight: 1 } })).toBe('b c a')
  })

  it('puts degraded after healthy and down last, before it looks at anything else', () => {
    const given: Record<string, Given> = {
      down: { health: 'down', place: 0, backend: { priority: 0 } },
      degraded: { health: 'degraded', place: 0 },
      healthy: { place: 5, backend: { priority: 9 } },
    }
    for (const strategy of ['priority', 'cost', 'latency', 'weighted', 'tier'] as const) {
      expect(ranked(given, strategy)).toBe('healthy degraded down')
    }
  })

  it("keeps the order of an alias's list under every policy, and ranks the backends of one place", () => {
    const given: Record<string, Given> = {
      dear: { place: 0, backend: { costPerThousandIn: 9 } },
      cheap: { place: 1, backend: { costPerThousandIn: 0 } },
      dearer: { place: 0, backend: { costPerThousandIn: 10 } },
    }
    expect(ranked(given, 'cost')).toBe('dear dearer cheap')
  })

  it('by cost compares what the call would cost, not one of the two prices', () => {
    const given: Record<string, Given> = {
      a: { backend: { costPerThousandIn: 1, costPerThousandOut: 5 } },
      b: { backend: { costPerThousandIn: 2, costPerThousandOut: 2 } },
    }
    expect(ranked(given, 'cost', { tokensIn: 1_000, tokensOut: 100 })).toBe('a b')
    expect(ranked(given, 'cost', { tokensIn: 1_000, tokensOut: 1_000 })).toBe('b a')
    const [a] = candidates(given)
    expect(a && estimatedCost(a.backend, demand)).toBe(3.5)
  })

  it('by cost takes what has no known price after everything that has one', () => {
    const unknown = { backend: { costPerThousandIn: null, costPerThousandOut: null } }
    const given: Record<string, Given> = {
      unknown,
      other: unknown,
      free: { backend: { costPerThousandIn: 0, costPerThousandOut: null } },
      dear: { backend: { costPerThousandIn: 900, costPerThousandOut: 900 } },
    }
    expect(ranked(given, 'cost')).toBe('free dear unknown other')
    expect(ranked(given, 'tier')).toBe('free dear unknown other')
    expect(ranked({ ...given, dear: { ...given['dear'], latencyMs: 50 } }, 'weighted')).toBe('free dear unknown other')
    expect(ranked({ unknown, free: given['free'] ?? {} }, 'weighted')).toBe('free unknown')
    expect(estimatedCost((candidates({ unknown })[0] as Ranked).backend, demand)).toBeNull()
  })

  it('by latency takes the faster, and what was never called first', () => {
    const given = { slow: { latencyMs: 300 }, fast: { latencyMs: 20 }, unknown: { latencyMs: undefined } }
    expect(ranked(given, 'latency')).toBe('unknown fast slow')
  })

  it('weighs cost and latency, each as a share of the highest', () => {
    const given: Record<string, Given> = {
      cheapSlow: { latencyMs: 1_000, backend: { costPerThousandIn: 0.1, costPerThousandOut: 0 } },
      dearFast: { latencyMs: 10, backend: { costPerThousandIn: 10, costPerThousandOut: 0 } },
    }
    expect(ranked(given, 'weighted')).toBe('cheapSlow dearFast')
    const towardsLatency = { strategy: 'weighted', weights: { cost: 0.3, latency: 0.7 } } as const
    expect(rank(candidates(given), towardsLatency, demand).map(({ backend }) => backend.model)).toEqual([
      'dearFast',
      'cheapSlow',
    ])
  })

  it('weighs free and unmeasured backends without dividing by nothing', () => {
    const free = { latencyMs: undefined, backend: { costPerThousandIn: 0, costPerThousandOut: 0 } }
    expect(ranked({ a: free, b: free }, 'weighted')).toBe('a b')
  })

  it('by tier takes the cheapest of the wanted tier, then the tiers above, and lower ones last', () => {
    const tier = (value: Tier, cost: number): Given => ({ backend: { tier: value, costPerThousandIn: cost } })
    const given = { one: tier(1, 0), two: tier(2, 5), cheapTwo: tier(2, 1), three: tier(3, 9) }
    expect(ranked(given, 'tier', { tier: 1 })).toBe('one cheapTwo two three')
    expect(ranked(given, 'tier', { tier: 2 })).toBe('cheapTwo two three one')
    expect(ranked(given, 'tier', { tier: 3 })).toBe('three cheapTwo two one')
  })
})

describe('a hook', () => {
  const given = candidates({ a: {}, b: { latencyMs: undefined }, c: {} })
  const names = (choice: unknown) =>
    chosenByHook(given, choice)
      .map(({ backend }) => backend.model)
      .join('')

  it('is shown what is known of each candidate', () => {
    expect(hookCandidates(given)[1]).toEqual({
      ...{ name: 'p:b', provider: 'p', model: 'b', tier: 1, cost_per_1k_in: 1, cost_per_1k_out: 1 },
      ...{ status: 'healthy', in_flight: 0, latency_ms: null },
    })
  })

  it('chooses by a name, by a list of names, or by candidates', () => {
    expect(names('p:c')).toBe('cab')
    expect(names(['p:c', 'p:b'])).toBe('cba')
    expect(names(hookCandidates(given).slice(1))).toBe('bca')
  })

  it('can neither add a backend nor take one away nor name one twice', () => {
    for (const choice of [undefined, null, 7, {}, [], ['q:x'], 'q:x', [[]], { name: 3 }])
      expect(names(choice)).toBe('abc')
    expect(names(['p:b', 'p:b', 'p:b'])).toBe('bac')
  })
})
