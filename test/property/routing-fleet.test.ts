import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Admission,
  type Backend,
  type BreakerSettings,
  backendName,
  createBudget,
  createFleet,
  type Outcome,
  type Ranked,
  rank,
  readWorkflow,
  runWorkflow,
  STRATEGIES,
  type Tier,
  walk,
} from '../../src/core/routing/index.js'

const backend = (model: string, order: number, more: Partial<Backend> = {}): Backend => ({
  ...{ provider: 'p', model, tier: 1, costPerThousandIn: 0, costPerThousandOut: 0, priority: 1, order, ...more },
})
const ONE = backend('one', 0)

const settings: fc.Arbitrary<BreakerSettings> = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 4 }),
  windowMs: fc.constantFrom(100, 1_000),
  failureRate: fc.constantFrom(0.25, 0.5, 1),
  callsMin: fc.integer({ min: 1, max: 6 }),
  recoveryMs: fc.constantFrom(50, 300),
  halfOpenMax: fc.integer({ min: 1, max: 3 }),
})
const outcome = fc.constantFrom<Outcome>(
  { kind: 'answered' },
  { kind: 'cut' },
  { kind: 'cancelled' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 400 },
)
/** What happens to a fleet of one: time passes, a call begins, the call at that place ends. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 120 }) }),
  fc.record({ kind: fc.constant('begin' as const) }),
  fc.record({ kind: fc.constant('end' as const), at: fc.nat(20), outcome }),
)
type Open = { readonly permit: Extract<Admission, { ok: true }>['permit']; readonly generation: number }
type Happening = { kind: 'pass'; ms: number } | { kind: 'begin' } | { kind: 'end'; at: number; outcome: Outcome }

/** A fleet of one, and the calls that run there; each step holds what is said of admissions and of ends. */
function watched(breaker: BreakerSettings) {
  const fleet = createFleet({ backends: [ONE], breakerOf: () => breaker, limitsOf: () => ({}) })
  const open: Open[] = []
  const clock = { ms: 0 }
  const state = () => {
    const [report] = fleet.report(clock.ms)
    if (report === undefined) throw new Error('no report')
    return report
  }
  const begin = () => {
    const before = state().breaker.status
    const admission = fleet.admit(ONE, clock.ms)
    if (before !== 'half-open') expect(admission.ok).toBe(before === 'closed')
    if (admission.ok) open.push({ permit: admission.permit, generation: state().breaker.generation })
  }
  const end = (at: number, outcome: Outcome) => {
    const [ended] = open.splice(at % (open.length || 1), 1)
    const before = state().breaker
    ended?.permit.settle(outcome, { nowMs: clock.ms })
    if (ended !== undefined && ended.generation !== before.generation) expect(state().breaker).toEqual(before)
  }
  const happen = (happening: Happening) => {
    if (happening.kind === 'pass') clock.ms += happening.ms
    else if (happening.kind === 'begin') begin()
    else end(happening.at, happening.outcome)
  }
  return { fleet, open, state, happen, clock }
}

type Seen = { readonly failed: boolean; readonly slice: number }

/** The rule in its plainest form, over every call since the beginning. */
function saysOpen(seen: readonly Seen[], slice: number, breaker: BreakerSettings): boolean {
  const recent = seen.filter((one) => one.slice > slice - 10)
  const failures = recent.filter((one) => one.failed).length
  const inRow = seen.length - 1 - seen.findLastIndex((one) => !one.failed)
  if (inRow >= breaker.failureThreshold) return true
  return recent.length >= breaker.callsMin && failures / recent.length >= breaker.failureRate
}

describe('a breaker, whatever happens', () => {
  it('lets no more calls on trial than it may, none while it is open, and always one again in the end', () => {
    fc.assert(
      fc.property(settings, fc.array(step, { minLength: 40, maxLength: 120 }), (breaker, steps) => {
        const { fleet, open, state, happen, clock } = watched(breaker)
        for (const happening of steps) {
          happen(happening)
          const { breaker: now, entry } = state()
          const trials = open.filter((one) => one.generation === now.generation).length
          expect(now.trials).toBeLessThanOrEqual(breaker.halfOpenMax)
          expect(now.trials).toBe(now.status === 'half-open' ? trials : 0)
          expect(entry.inFlight).toBe(open.length)
        }
        for (const { permit } of open) permit.settle({ kind: 'cancelled' }, { nowMs: clock.ms })
        expect(fleet.admit(ONE, clock.ms + breaker.recoveryMs).ok).toBe(true)
      }),
    )
  })

  it('opens exactly when the plainest count of the calls says so', () => {
    const call = fc.record({ failed: fc.boolean(), afterMs: fc.integer({ min: 0, max: 40 }) })
    fc.assert(
      fc.property(settings, fc.array(call, { maxLength: 60 }), (breaker, calls) => {
        const fleet = createFleet({ backends: [ONE], breakerOf: () => breaker, limitsOf: () => ({}) })
        const slice = breaker.windowMs / 10
        const seen: Seen[] = []
        let nowMs = 0
        for (const { failed, afterMs } of calls) {
          nowMs += afterMs
          const admission = fleet.admit(ONE, nowMs)
          if (!admission.ok) throw new Error('closed, and yet refused')
          admission.permit.settle(failed ? { kind: 'cut' } : { kind: 'answered' }, { nowMs })
          seen.push({ failed, slice: Math.floor(nowMs / slice) })
          const isOver = failed && saysOpen(seen, Math.floor(nowMs / slice), breaker)
          expect(fleet.report(nowMs)[0]?.breaker.status).toBe(isOver ? 'open' : 'closed')
          if (isOver) return
        }
      }),
    )
  })
})

describe('the pool, whatever is asked of it', () => {
  it('never has more in flight at a provider than allowed, nor begins more in a minute', () => {
    const limits = fc.record({
      maxInFlight: fc.integer({ min: 1, max: 4 }),
      requestsPerMinute: fc.integer({ min: 1, max: 8 }),
    })
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 80 }), (allowed, steps) => {
        const breakerOf = () => ({
          failureThreshold: 1e9,
          windowMs: 1,
          failureRate: 2,
          callsMin: 1e9,
          recoveryMs: 1,
          halfOpenMax: 1,
        })
        const fleet = createFleet({ backends: [ONE], breakerOf, limitsOf: () => allowed })
        const open: Extract<Admission, { ok: true }>['permit'][] = []
        const begun: number[] = []
        let nowMs = 0
        for (const happening of steps) {
          if (happening.kind === 'pass') nowMs += happening.ms * 200
          if (happening.kind === 'end')
            open.splice(happening.at % (open.length || 1), 1)[0]?.settle(happening.outcome, { nowMs })
          if (happening.kind !== 'begin') continue
          const admission = fleet.admit(ONE, nowMs)
          if (!admission.ok) continue
          open.push(admission.permit)
          begun.push(nowMs)
          expect(open.length).toBeLessThanOrEqual(allowed.maxInFlight)
          const lately = begun.filter((at) => at > nowMs - 54_000)
          expect(lately.length).toBeLessThanOrEqual(allowed.requestsPerMinute)
        }
      }),
    )
  })
})

const ranked: fc.Arbitrary<Ranked> = fc.record({
  backend: fc
    .record({
      tier: fc.constantFrom<Tier>(1, 2, 3),
      costPerThousandIn: fc.constantFrom(0, 0.1, 2),
      costPerThousandOut: fc.constantFrom(0, 0.5),
      priority: fc.constantFrom(1, 2),
      order: fc.nat(1_000),
    })
    .map((more) => backend(`m${more.order}`, more.order, more)),
  place: fc.constantFrom(0, 1),
  health: fc.constantFrom('healthy', 'degraded', 'down'),
  inFlight: fc.nat(3),
  latencyMs: fc.constantFrom(undefined, 5, 100),
})
const candidates = fc.uniqueArray(ranked, { selector: ({ backend: one }) => backendName(one), maxLength: 8 })

describe('the ranking, whatever the candidates', () => {
  it('keeps every candidate once, and gives one order, however they come in', () => {
    const tier = fc.constantFrom<Tier>(1, 2, 3)
    fc.assert(
      fc.property(candidates, fc.constantFrom(...STRATEGIES), tier, fc.nat(), (given, strategy, wanted, turn) => {
        const demand = { tokensIn: 700, tokensOut: 300, tier: wanted }
        const policy = { strategy, weights: { cost: 0.6, latency: 0.4 } }
        const order = rank(given, policy, demand)
        expect(new Set(order)).toEqual(new Set(given))
        expect(order).toHaveLength(given.length)
        const cut = turn % (given.length || 1)
        expect(rank([...given.slice(cut), ...given.slice(0, cut)], policy, demand)).toEqual(order)
        const health = order.map((one) => ['healthy', 'degraded', 'down'].indexOf(one.health))
        expect(health).toEqual(health.toSorted((one, other) => one - other))
      }),
    )
  })
})

describe('the walk, whatever the backends do', () => {
  it('tries each at most once, no more than the budget has, and settles each attempt', async () => {
    const ends = fc.array(fc.option(outcome, { nil: undefined }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(ends, fc.integer({ min: 0, max: 7 }), async (outcomes, attemptsMax) => {
        const backends = outcomes.map((_, index) => backend(`m${index}`, index))
        const fleet = createFleet({
          backends,
          breakerOf: () => ({
            failureThreshold: 9,
            windowMs: 1_000,
            failureRate: 2,
            callsMin: 9,
            recoveryMs: 1,
            halfOpenMax: 1,
          }),
          limitsOf: () => ({}),
        })
        const tried: number[] = []
        const walked = await walk<number, number>({
          ...{ fleet, candidates: backends.map((one) => ({ backend: one })), now: () => 0 },
          budget: createBudget(attemptsMax, 1),
          attempt: async ({ order }) => {
            tried.push(order)
            const failure = outcomes[order]
            if (failure !== undefined && failure.kind !== 'answered')
              return { status: 'failed', outcome: failure, error: order }
            return { status: 'answering', value: order, ended: Promise.resolve({ kind: 'answered' }) }
          },
        })
        await Promise.resolve()
        expect(tried).toEqual(tried.toSorted((one, other) => one - other))
        expect(new Set(tried).size).toBe(tried.length)
        expect(tried.length).toBeLessThanOrEqual(attemptsMax)
        expect(fleet.report(0).every(({ entry }) => entry.inFlight === 0)).toBe(true)
        if (walked.status === 'answering') expect(walked.value).toBe(tried.at(-1))
      }),
    )
  })
})

describe('a workflow without a cycle, whatever its shape', () => {
  it('is accepted, and runs every op once, after all of its inputs', async () => {
    const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 16 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), edges, async (size, pairs) => {
        const name = (index: number) => `op${index}`
        const wanted = pairs.map(([a, b]) => [Math.min(a, b) % size, Math.max(a, b) % size] as const)
        const forward = new Set(wanted.filter(([a, b]) => a < b).map(([a, b]) => `${a}>${b}`))
        const inputs = (index: number) =>
          [...forward].filter((edge) => edge.endsWith(`>${index}`)).map((edge) => name(Number(edge.split('>')[0])))
        const outputs = (index: number) =>
          [...forward].filter((edge) => edge.startsWith(`${index}>`)).map((edge) => name(Number(edge.split('>')[1])))
        const indexes = Array.from({ length: size }, (_, index) => index)
        const ops = indexes.map(
          (index) => [name(index), { prompt: 'x', input_ops: inputs(index), output_ops: outputs(index) }] as const,
        )
        const result = readWorkflow({
          start_ops: indexes.filter((index) => inputs(index).length === 0).map(name),
          end_ops: indexes.filter((index) => outputs(index).length === 0).map(name),
          ops: Object.fromEntries(ops.toReversed()),
        })
        if (!result.ok) throw new Error(JSON.stringify(result.faults))
        const ran: string[] = []
        await runWorkflow(result.workflow, '', async (op) => {
          for (const input of op.inputOps) expect(ran).toContain(input)
          await Promise.resolve()
          ran.push(op.name)
          return { ok: true, text: op.name, model: 'm', detail: 0 }
        })
        expect(ran.toSorted()).toEqual(indexes.map(name).toSorted())
      }),
    )
  })
})
