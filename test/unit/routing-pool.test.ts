import { describe, expect, it } from 'vitest'
import {
  beginAttempt,
  degradedMs,
  downMs,
  endAttempt,
  healthOf,
  IDLE_ENTRY,
  type Outcome,
  type PoolEntry,
  retryAfterMsMax,
  verdictOf,
} from '../../src/core/routing/index.js'

function attempt(entry: PoolEntry, outcome: Outcome, nowMs: number, latencyMs?: number): PoolEntry {
  const end = { verdict: verdictOf(outcome), latencyMs, retryAfterMs: outcome.retryAfterMs }
  return endAttempt(beginAttempt(entry), end, nowMs)
}

describe('an entry of the pool', () => {
  it('counts what is in flight and what was asked', () => {
    const two = beginAttempt(beginAttempt(IDLE_ENTRY))
    expect(two).toMatchObject({ inFlight: 2, totalRequests: 2 })
    const end = { verdict: verdictOf({ kind: 'answered' }), latencyMs: 5, retryAfterMs: undefined }
    expect(endAttempt(two, end, 0)).toMatchObject({ inFlight: 1, totalRequests: 2, totalFailures: 0 })
  })

  it('averages the latency, a fifth for the newest, and learns none from a failure', () => {
    const once = attempt(IDLE_ENTRY, { kind: 'answered' }, 0, 100)
    expect(once.latencyMs).toBe(100)
    expect(attempt(once, { kind: 'answered' }, 0, 200).latencyMs).toBe(120)
    expect(attempt(once, { kind: 'refused' }, 0).latencyMs).toBe(100)
  })

  it('is degraded for a while after an error, whatever succeeds in between', () => {
    const failed = attempt(IDLE_ENTRY, { kind: 'status', status: 500 }, 1_000)
    const fine = attempt(failed, { kind: 'answered' }, 2_000, 5)
    expect([fine, failed].map((entry) => healthOf(entry, 1_000 + degradedMs - 1))).toEqual(['degraded', 'degraded'])
    expect(healthOf(failed, 1_000 + degradedMs)).toBe('healthy')
  })

  it('is down while it is unreachable, until it answers anything', () => {
    const down = attempt(IDLE_ENTRY, { kind: 'refused' }, 1_000)
    expect(healthOf(down, 1_000 + downMs - 1)).toBe('down')
    expect(healthOf(down, 1_000 + downMs)).toBe('degraded')
    expect(healthOf(attempt(down, { kind: 'answered' }, 2_000), 2_000)).toBe('degraded')
    expect(healthOf(attempt(down, { kind: 'status', status: 503 }, 2_000), 2_000)).toBe('degraded')
    expect(healthOf(attempt(down, { kind: 'cancelled' }, 2_000), 2_000)).toBe('down')
  })

  it('obeys Retry-After, up to ten minutes, and never shortens what was asked before', () => {
    const asked = attempt(IDLE_ENTRY, { kind: 'status', status: 429, retryAfterMs: 7_000 }, 1_000)
    expect(asked.notBeforeMs).toBe(8_000)
    expect(attempt(asked, { kind: 'status', status: 429, retryAfterMs: 1_000 }, 2_000).notBeforeMs).toBe(8_000)
    const absurd = { kind: 'status', status: 503, retryAfterMs: 1e12 } as const
    expect(attempt(IDLE_ENTRY, absurd, 0).notBeforeMs).toBe(retryAfterMsMax)
    expect(attempt(IDLE_ENTRY, { kind: 'status', status: 429, retryAfterMs: -5 }, 9_000).notBeforeMs).toBe(0)
    expect(attempt(IDLE_ENTRY, { kind: 'answered', retryAfterMs: 7_000 }, 0).notBeforeMs).toBe(0)
  })

  it('blames a backend neither for a caller that leaves nor for a request that is wrong', () => {
    for (const outcome of [{ kind: 'cancelled' }, { kind: 'status', status: 422 }] as const) {
      expect(attempt(IDLE_ENTRY, outcome, 1_000)).toEqual({ ...IDLE_ENTRY, totalRequests: 1 })
    }
  })
})
