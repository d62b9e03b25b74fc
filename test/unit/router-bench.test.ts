import { afterEach, describe, expect, test } from 'vitest'
import { measure } from '../../src/cli/router/bench/measure.js'
import { addedTo, medianOf, quantilesOf } from '../../src/cli/router/bench/quantiles.js'
import { renderReport, reportOf } from '../../src/cli/router/bench/report.js'
import { answerJson, type Behaviour, type LocalUpstream, startUpstream } from '../support/local-upstream.js'

const open: LocalUpstream[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})
const answer: Behaviour = (outgoing) => answerJson(outgoing, { usage: {} })

async function ways(gateway: Behaviour) {
  const [direct, pipe, last] = await Promise.all([startUpstream(answer), startUpstream(answer), startUpstream(gateway)])
  open.push(direct, pipe, last)
  const parts = { direct: direct.url, pipe: pipe.url, gateway: last.url, stop: () => Promise.resolve() }
  return { parts, direct, pipe, gateway: last }
}
const order = { calls: 20, atOnce: 4, isStream: false, isOver: () => false }

describe('quantiles', () => {
  test('are by nearest rank, whatever the order', () => {
    const taken = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(quantilesOf(taken)).toEqual({ p50: 50, p95: 95, p99: 99 })
    expect(quantilesOf([7])).toEqual({ p50: 7, p95: 7, p99: 7 })
    expect(medianOf([3, 1, 2])).toBe(2)
  })

  test('are subtracted one by one', () => {
    expect(addedTo({ p50: 1, p95: 2, p99: 3 }, { p50: 1.5, p95: 1.9, p99: 3.0004 })).toEqual({
      ...{ p50: 0.5, p95: -0.1, p99: 0 },
    })
  })
})

describe('the bench of the gateway', () => {
  test('calls each way equally often, in turns, and does not count the round that warms up', async () => {
    const { parts, ...servers } = await ways(answer)
    const measured = await measure(parts, order)
    expect(measured).toMatchObject({ rounds: 5, firstFailure: null })
    for (const way of ['direct', 'pipe', 'gateway'] as const) expect(measured.oneByOne[way]).toHaveLength(20)
    for (const way of ['pipe', 'gateway'] as const) {
      expect(measured.atOnce[way]).toHaveLength(20)
      expect(measured.perSecond[way]).toHaveLength(5)
    }
    expect(servers.direct.arrived).toHaveLength(24)
    expect(servers.gateway.arrived).toHaveLength(48)
    expect(servers.pipe.arrived).toHaveLength(48)
  })

  test('has no more calls under way than it was told', async () => {
    let [now, most] = [0, 0]
    const { parts } = await ways((outgoing, arrived) => {
      now += 1
      most = Math.max(most, now)
      setImmediate(() => {
        now -= 1
        void answer(outgoing, arrived)
      })
    })
    await measure(parts, { ...order, calls: 100, atOnce: 3 })
    expect(most).toBeLessThanOrEqual(3)
  })

  test.each<[string, Behaviour]>([
    ['gateway: status 503', (outgoing) => answerJson(outgoing, { detail: 'busy' }, 503)],
    ['gateway: not a whole answer', (outgoing) => answerJson(outgoing, { choices: [] })],
    ['gateway: socket hang up', (outgoing) => outgoing.destroy()],
  ])('ends at the first call that fails: %s', async (why, behaviour) => {
    const { parts, gateway } = await ways(behaviour)
    const measured = await measure(parts, order)
    expect(measured.rounds).toBe(0)
    expect(measured.firstFailure).toContain(why)
    expect(gateway.arrived).toHaveLength(1)
  })

  test('begins no call when its time is over, and counts whole rounds only', async () => {
    const { parts, gateway } = await ways(answer)
    // After the warm-up (12 calls of the gateway's side) and one whole round.
    const isOver = () => gateway.arrived.length >= 20
    const measured = await measure(parts, { ...order, isOver })
    expect(measured.rounds).toBe(1)
    expect(measured.oneByOne.gateway).toHaveLength(4)
    expect(gateway.arrived.length).toBeLessThanOrEqual(20 + 3)
  })

  test('reports what the gateway adds, and its share of a pipe round by round', () => {
    const taken = (ms: number) => [{ firstMs: ms / 2, wholeMs: ms }]
    const measured = {
      ...{ rounds: 3, firstFailure: null },
      oneByOne: { direct: taken(1), pipe: taken(1.25), gateway: taken(2) },
      atOnce: { pipe: taken(3), gateway: taken(5) },
      perSecond: { pipe: [100, 10, 100], gateway: [40, 5, 30] },
    }
    const report = reportOf(measured, order)
    expect(report.first_byte_ms).toBeNull()
    expect(report.whole_ms.gateway_added).toEqual({ p50: 1, p95: 1, p99: 1 })
    expect(report.whole_ms.pipe_added.p50).toBe(0.25)
    expect(report.throughput_ratio).toBe(0.4)
    expect(renderReport(report)).toMatch(/the gateway adds +1\.000 +1\.000 +1\.000\n/)
    const streams = reportOf(measured, { ...order, isStream: true })
    expect(streams.first_byte_ms?.gateway_added.p50).toBe(0.5)
    expect(renderReport(streams)).toContain('to the first byte')
  })
})
