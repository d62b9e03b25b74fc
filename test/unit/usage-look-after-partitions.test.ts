import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { lookAfterPartitions, type PartitionDeps } from '../../src/features/usage/look-after-partitions.js'
import { createLogger } from '../../src/platform/logger.js'

const HOUR_MS = 3_600_000
const START = Date.parse('2026-01-31T23:30:00Z')

beforeEach(() => void vi.useFakeTimers({ now: START }))
afterEach(() => void vi.useRealTimers())

/** Rounds whose calls are written down; `fails` says what cannot be done. */
function rounds(monthsKept: number) {
  const calls: string[] = []
  const fails = { ensure: false, drop: false }
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 16)
  const deps: PartitionDeps = {
    clock: Date.now,
    logger: createLogger('silent'),
    ensure: async (nowMs) => {
      calls.push(`ensure ${at(nowMs)}`)
      if (fails.ensure) throw new Error('away')
    },
    drop: async (nowMs, months) => {
      calls.push(`drop ${months} ${at(nowMs)}`)
      if (fails.drop) throw new Error('locked')
      return ['usage_logs_2025_01']
    },
    monthsKept,
    onEnsured: () => void calls.push('ensured'),
  }
  return { ...lookAfterPartitions(deps), calls, fails }
}

describe('looking after the partitions', () => {
  test('makes what is due and drops what is old, at the start and hourly', async () => {
    const { start, stop, calls } = rounds(12)
    await start()
    expect(calls).toEqual(['ensure 2026-01-31T23:30', 'ensured', 'drop 12 2026-01-31T23:30'])
    await vi.advanceTimersByTimeAsync(1.2 * HOUR_MS)
    expect(calls.filter((call) => call.startsWith('drop'))).toHaveLength(2)
    await stop()
  })

  test('drops nothing if all is kept for ever', async () => {
    const { start, stop, calls } = rounds(0)
    await start()
    expect(calls).toEqual(['ensure 2026-01-31T23:30', 'ensured'])
    await stop()
  })

  test('is ready while the next month’s partition is there, and no longer than that', async () => {
    const { start, stop, isNextThere, fails } = rounds(0)
    fails.ensure = true
    await start()
    expect(isNextThere()).toBe(false)
    fails.ensure = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(isNextThere()).toBe(true)
    await stop()
    // Made in January for February and March: in February March is still there, in March April is not.
    vi.setSystemTime(Date.parse('2026-02-28T23:59:59Z'))
    expect(isNextThere()).toBe(true)
    vi.setSystemTime(Date.parse('2026-03-01T00:00:00Z'))
    expect(isNextThere()).toBe(false)
  })

  test('is ready though an old partition cannot be dropped, and tries again soon', async () => {
    const { start, stop, isNextThere, calls, fails } = rounds(1)
    fails.drop = true
    await start()
    expect(isNextThere()).toBe(true)
    fails.drop = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls.filter((call) => call.startsWith('drop'))).toHaveLength(2)
    await stop()
  })
})
