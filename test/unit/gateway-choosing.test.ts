import { describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { NO_USAGE } from '../../src/core/chat/index.js'
import { backendName } from '../../src/core/routing/index.js'
import { readGatewayConfig } from '../../src/features/gateway/config/read-config.js'
import { reportBackends } from '../../src/features/gateway/report-backends.js'
import { askHook, type Hook } from '../../src/features/gateway/serve/ask-hook.js'
import { chooseCandidates } from '../../src/features/gateway/serve/choose-candidates.js'
import { dearestOf } from '../../src/features/gateway/serve/dearest.js'
import { demandOf } from '../../src/features/gateway/serve/demand.js'
import { openFleet } from '../../src/features/gateway/serve/open-fleet.js'
import { showStats } from '../../src/features/gateway/show-stats.js'

const TEXT = `
providers:
  - name: cheap
    type: echo
    priority: 2
    limits: { max_in_flight: 1 }
    circuit_breaker: { failure_threshold: 1, recovery_seconds: 10 }
    models:
      - { model: easy, tier: 1, cost_per_1k_in: 1, cost_per_1k_out: 1 }
      - { model: deep, tier: 3, cost_per_1k_in: 4, cost_per_1k_out: 4 }
  - name: dear
    type: echo
    models:
      - { model: easy, tier: 1, cost_per_1k_in: 10, cost_per_1k_out: 10 }
      - { model: unpriced, tier: 2 }
`
function open(text = TEXT) {
  const read = readGatewayConfig(text, () => undefined)
  if (!read.ok) throw new Error(read.faults.join('; '))
  const { providers, policy } = read.config
  const fleet = openFleet(providers)
  const backends = providers.flatMap((provider) => provider.backends)
  const choosing = { fleet, backends, policy, clock: () => 0 }
  return { fleet, choosing, byName: new Map(providers.map((provider) => [provider.name, provider])) }
}
type Choosing = ReturnType<typeof open>['choosing']
const body = { messages: [{ role: 'user', content: 'Who?' }] }
const choose = (choosing: Choosing, asked: Partial<Parameters<typeof chooseCandidates>[1]>) =>
  chooseCandidates(choosing, { model: undefined, bound: null, ...asked }, () => demandOf({ body })).map((one) =>
    backendName(one.backend),
  )

describe('the candidates of a request', () => {
  const { choosing } = open()

  test('are in the order of the policy', () => {
    expect(choose(choosing, { model: 'easy' })).toEqual(['dear:easy', 'cheap:easy'])
    const byCost = { ...choosing, policy: { ...choosing.policy, strategy: 'cost' as const } }
    expect(choose(byCost, { model: 'easy' })).toEqual(['cheap:easy', 'dear:easy'])
  })

  test('are by tier if the model is left to the service and a tier is wanted', () => {
    expect(choose(choosing, { tier: 3 })[0]).toBe('cheap:deep')
    expect(choose(choosing, { tier: 1 })[0]).toBe('cheap:easy')
    expect(choose(choosing, { model: 'easy', tier: 3 })).toEqual(['dear:easy', 'cheap:easy'])
  })

  test('begin with the one that is preferred, if it is one of them and healthy', () => {
    expect(choose(choosing, { model: 'easy', preferred: 'cheap:easy' })[0]).toBe('cheap:easy')
    expect(choose(choosing, { model: 'easy', preferred: 'cheap:deep' })[0]).toBe('dear:easy')
    const { fleet, choosing: troubled } = open()
    const admission = fleet.admit(must(troubled.backends[0]), 0)
    if (admission.ok) admission.permit.settle({ kind: 'cut' }, { nowMs: 0 })
    expect(choose(troubled, { model: 'easy', preferred: 'cheap:easy' })[0]).toBe('dear:easy')
  })

  test('are none for a model that nobody serves', () => {
    expect(() => choose(choosing, { model: 'nothing' })).toThrow("No backend serves 'nothing'")
    expect(() => choose(choosing, { model: 'a', bound: ['x:y'] })).toThrow("what 'a' is bound to")
  })
})

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('missing')
  return value
}

test('a report says what a provider was configured with: its limit, its breaker, how long that stays open', () => {
  const { fleet, choosing } = open()
  const easy = must(choosing.backends[0])
  const first = fleet.admit(easy, 1_000)
  expect(fleet.admit(easy, 1_000)).toEqual({ ok: false, reason: 'provider-limit', retryAtMs: undefined })
  if (first.ok) first.permit.settle({ kind: 'status', status: 503, retryAfterMs: 2_500 }, { nowMs: 1_000 })
  const [shown] = reportBackends(fleet, 2_000)
  expect(shown).toEqual({
    ...{ name: 'cheap:easy', provider: 'cheap', model: 'easy', tier: 1, priority: 2, status: 'degraded' },
    ...{ in_flight: 0, latency_ms: null, total_requests: 1, total_failures: 1, asked_to_wait_ms: 1_500 },
    breaker: { status: 'open', failures_in_row: 0, retry_in_ms: 9_000 },
  })
})

describe('what the dearest candidate would have cost', () => {
  const { choosing, byName } = open()
  const usage = { ...NO_USAGE, input: 1_000, output: 1_000 }

  test('is the most that the configuration says of any', () => {
    expect(dearestOf(choosing.backends, byName)(usage)).toBe(20_000_000_000_000n)
    expect(dearestOf(choosing.backends.slice(0, 1), byName)(usage)).toBe(2_000_000_000_000n)
  })

  test('is not known of backends without a price, nor of none', () => {
    expect(dearestOf(choosing.backends.slice(3), byName)(usage)).toBeNull()
    expect(dearestOf([], byName)(usage)).toBeNull()
  })
})

describe('a hook', () => {
  const { choosing } = open()
  const ranked = choosing.fleet.look(
    choosing.backends.map((backend) => ({ backend, place: 0 })),
    0,
  )
  const request = { model: null, alias: null, profile: 'default', stream: false, body }
  const first = async (hook: Hook) => {
    const faults: unknown[] = []
    const order = await askHook({ hook, onFault: (fault) => faults.push(fault) }, ranked, request)
    return [backendName(must(order[0]).backend), order.length, faults.length]
  }

  test('chooses at once or later', async () => {
    expect(await first(() => 'dear:easy')).toEqual(['dear:easy', 4, 0])
    expect(await first(async () => ['dear:unpriced', 'dear:easy'])).toEqual(['dear:unpriced', 4, 0])
  })

  test('that throws, rejects or never answers leaves the order as it was, and is told of', async () => {
    const throws: Hook = () => {
      throw new Error('planted')
    }
    for (const hook of [throws, () => Promise.reject(new Error('planted')), () => new Promise(() => undefined)]) {
      expect(await first(hook)).toEqual(['cheap:easy', 4, 1])
    }
  })
})

test('the sums of calls are of the last thirty days, by any names', async () => {
  const asked: number[] = []
  const sum = { requests: 2, spent: '0.500000000000', saved: '0.250000000000' }
  const sumCalls = async (_: ProjectId, sinceMs: number) => {
    asked.push(sinceMs)
    return [
      { name: null, ...sum },
      { name: '__proto__', ...sum },
    ]
  }
  const stats = await showStats({ clock: () => 2_592_000_001, sumCalls }, 'p' as ProjectId)
  expect(asked).toEqual([1])
  expect(stats).toMatchObject({ total_requests: 2, total_spent_usd: 0.5, total_saved_usd: 0.25 })
  expect(Object.getOwnPropertyNames(stats.by_model)).toEqual(['__proto__'])
})
