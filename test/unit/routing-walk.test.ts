import { describe, expect, it } from 'vitest'
import {
  type Attempted,
  type Backend,
  backendName,
  createBudget,
  createFleet,
  DEFAULT_BREAKER,
  type Fleet,
  type Outcome,
  walk,
} from '../../src/core/routing/index.js'

const backend = (model: string, order: number): Backend => ({
  ...{ provider: 'p', model, tier: 1, costPerThousandIn: 0, costPerThousandOut: 0, priority: 1, order },
})
const BACKENDS = ['a', 'b', 'c'].map(backend)
const settings = { ...DEFAULT_BREAKER, recoveryMs: 30_000 }

type Answers = Readonly<Record<string, Outcome>>

/** A fleet with a clock, and what its backends answer; a model that is not named answers. */
function world(limits: { requestsPerMinute?: number; maxInFlight?: number } = {}) {
  let nowMs = 0
  const opened: string[] = []
  const fleet = createFleet({
    backends: BACKENDS,
    breakerOf: () => settings,
    limitsOf: () => limits,
    onOpened: (one, openMs) => opened.push(`${backendName(one)} ${openMs}`),
  })
  const tried: string[] = []
  const go = async (answers: Answers = {}, given: { attemptsMax?: number; ended?: Promise<Outcome> } = {}) => {
    tried.length = 0
    const walked = await walk<string, string>({
      ...{ fleet, candidates: BACKENDS.map((one) => ({ backend: one })), now: () => nowMs },
      budget: createBudget(given.attemptsMax ?? 3, nowMs + 1_000),
      attempt: async ({ model }): Promise<Attempted<string, string>> => {
        tried.push(model)
        const outcome = answers[model]
        if (outcome !== undefined) return { status: 'failed', outcome, error: `${model} failed` }
        return { status: 'answering', value: model, ended: given.ended ?? Promise.resolve({ kind: 'answered' }) }
      },
    })
    await Promise.resolve()
    return walked
  }
  return { fleet, go, tried, opened, pass: (ms: number) => (nowMs += ms), now: () => nowMs }
}
const entryOf = (fleet: Fleet, model: string, nowMs = 0) =>
  fleet.report(nowMs).find((report) => report.backend.model === model)

const broken: Outcome = { kind: 'status', status: 500 }

describe('the walk over candidates', () => {
  it('ends with the first that answers, and tells which failed before', async () => {
    const { go, tried } = world()
    const walked = await go({ a: broken, b: { kind: 'refused' } })
    expect(walked).toMatchObject({ status: 'answering', value: 'c', failed: [{ error: 'a failed' }, {}] })
    expect(tried).toEqual(['a', 'b', 'c'])
  })

  it("stops at the caller's fault, at a caller that left, and at its own fault", async () => {
    for (const outcome of [{ kind: 'status', status: 400 }, { kind: 'cancelled' }, { kind: 'own-fault' }] as const) {
      const { go, tried } = world()
      expect(await go({ a: outcome })).toMatchObject({ status: 'failed', last: { error: 'a failed' } })
      expect(tried).toEqual(['a'])
    }
  })

  it('answers with the last failure if all fail', async () => {
    const { go } = world()
    const walked = await go({ a: broken, b: broken, c: { kind: 'timeout' } })
    expect(walked).toMatchObject({ status: 'failed', last: { outcome: { kind: 'timeout' } }, failed: { length: 3 } })
  })

  it('makes no more attempts than its budget has', async () => {
    const { go, tried } = world()
    expect(await go({ a: broken, b: broken }, { attemptsMax: 2 })).toMatchObject({ status: 'failed' })
    expect(tried).toEqual(['a', 'b'])
    expect(await go({}, { attemptsMax: 0 })).toEqual({ status: 'spent' })
  })

  it('begins no attempt after its deadline', async () => {
    const { fleet, now, pass } = world()
    const budget = createBudget(9, 50)
    const tried: string[] = []
    const walked = await walk<string, string>({
      ...{ fleet, budget, now, candidates: BACKENDS.map((one) => ({ backend: one })) },
      attempt: async ({ model }) => {
        tried.push(model)
        pass(50)
        return { status: 'failed', outcome: broken, error: model }
      },
    })
    expect(walked.status).toBe('failed')
    expect(tried).toEqual(['a'])
    expect(budget.attemptsLeft()).toBe(8)
  })

  it('leaves a backend alone once its breaker is open, and says when all of them recover', async () => {
    const { go, tried, pass, opened } = world()
    for (let round = 0; round < 3; round += 1) await go({ a: broken })
    await go()
    expect(tried).toEqual(['b'])
    pass(10_000)
    for (let round = 0; round < 3; round += 1) await go({ b: broken, c: broken })
    expect(await go()).toMatchObject({
      status: 'unavailable',
      retryAtMs: 30_000,
      refusals: [{ reason: 'breaker-open', retryAtMs: 30_000 }, { retryAtMs: 40_000 }, { retryAtMs: 40_000 }],
    })
    expect(opened).toEqual(['p:a 30000', 'p:b 30000', 'p:c 30000'])
    pass(20_000)
    expect(await go()).toMatchObject({ status: 'answering', value: 'a' })
  })

  it('lets one call through on trial, not everybody', async () => {
    const { go, tried, pass } = world()
    for (let round = 0; round < 3; round += 1) await go({ a: broken })
    pass(30_000)
    let end = (_: Outcome): void => undefined
    const ended = new Promise<Outcome>((resolve) => {
      end = resolve
    })
    expect(await go({}, { ended })).toMatchObject({ value: 'a' })
    expect(await go()).toMatchObject({ value: 'b' })
    expect(tried).toEqual(['b'])
    end({ kind: 'answered' })
    await ended
    expect(await go()).toMatchObject({ value: 'a' })
  })

  it('counts what the end of a stream said, not its beginning', async () => {
    const { go, fleet } = world()
    for (let round = 0; round < 3; round += 1) await go({}, { ended: Promise.resolve({ kind: 'cut' }) })
    expect(entryOf(fleet, 'a')).toMatchObject({ breaker: { status: 'open' }, entry: { inFlight: 0, totalFailures: 3 } })
    const left = world()
    for (let round = 0; round < 5; round += 1) await left.go({}, { ended: Promise.resolve({ kind: 'cancelled' }) })
    expect(entryOf(left.fleet, 'a')).toMatchObject({ breaker: { status: 'closed' }, entry: { totalFailures: 0 } })
  })

  it('gives the permit back if an attempt throws, or never tells how it ended', async () => {
    const { go, fleet, now } = world()
    const attempt = () => Promise.reject(new Error('a fault here'))
    const candidates = BACKENDS.map((one) => ({ backend: one }))
    await expect(walk({ fleet, candidates, now, attempt, budget: createBudget(3, 99) })).rejects.toThrow('a fault here')
    await go({}, { ended: Promise.reject(new Error('lost')) })
    await Promise.resolve()
    expect(entryOf(fleet, 'a')).toMatchObject({ entry: { inFlight: 0, totalRequests: 2, totalFailures: 0 } })
  })

  it('does not call before the time that a Retry-After asked for', async () => {
    const { go, tried, pass } = world()
    await go({ a: { kind: 'status', status: 429, retryAfterMs: 5_000 } })
    pass(4_999)
    await go()
    expect(tried).toEqual(['b'])
    pass(1)
    await go()
    expect(tried).toEqual(['a'])
  })

  it('keeps to what the operator allows a provider: so many at a time, so many a minute', async () => {
    const never = new Promise<Outcome>(() => undefined)
    const few = world({ maxInFlight: 2 })
    for (let round = 0; round < 2; round += 1) await few.go({}, { ended: never })
    expect(await few.go()).toMatchObject({ status: 'unavailable', refusals: [{ reason: 'provider-limit' }, {}, {}] })

    const slow = world({ requestsPerMinute: 2 })
    for (let round = 0; round < 2; round += 1) await slow.go()
    expect(await slow.go()).toMatchObject({ status: 'unavailable', retryAtMs: 6_000 })
    slow.pass(60_000)
    expect(await slow.go()).toMatchObject({ status: 'answering' })
  })

  it('hears of what other instances saw, for no longer than its own recovery takes', async () => {
    const { fleet, go, tried, pass } = world()
    fleet.hear('p:a', 1e9, 0)
    fleet.hear('p:unknown', 5, 0)
    fleet.hear('p:b', Number.NaN, 0)
    await go()
    expect(tried).toEqual(['b'])
    pass(30_000)
    await go()
    expect(tried).toEqual(['a'])
  })

  it('refuses a backend that it was not made with', () => {
    expect(() => world().fleet.admit(backend('other', 9), 0)).toThrow("There is no backend 'p:other'.")
  })
})
