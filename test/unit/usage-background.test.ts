import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createKeeper } from '../../src/features/usage/keep-partitions.js'
import { createSinglePass } from '../../src/features/usage/single-pass.js'
import { createLogger, type Logger } from '../../src/platform/logger.js'

describe('the keeper', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function createCounted(outcomes: readonly ('ok' | 'fails')[] = []) {
    const logger: Logger = createLogger('silent')
    const logged = vi.spyOn(logger, 'error')
    let runs = 0
    const keeper = createKeeper(async () => {
      runs += 1
      if (outcomes[runs - 1] === 'fails') throw new Error('no rights')
    }, logger)
    return { keeper, logged, runs: () => runs }
  }

  it('does its task at the start and then once an hour', async () => {
    const { keeper, runs } = createCounted()
    await keeper.start()
    expect(runs()).toBe(1)
    await vi.advanceTimersByTimeAsync(3_599_999)
    expect(runs()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(runs()).toBe(2)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(runs()).toBe(3)
    keeper.close()
  })

  it('starts even where the task fails, says so in the log, and tries again in 10 s', async () => {
    const { keeper, logged, runs } = createCounted(['fails', 'fails'])
    await keeper.start()
    expect(logged).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(10_000)
    await vi.advanceTimersByTimeAsync(10_000)
    expect([runs(), logged.mock.calls.length]).toEqual([3, 2])
    await vi.advanceTimersByTimeAsync(3_599_999)
    expect(runs()).toBe(3)
    keeper.close()
  })

  it('does nothing any more once it is closed, not even after a task that was under way', async () => {
    const { keeper, runs } = createCounted()
    const started = keeper.start()
    keeper.close()
    await started
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(runs()).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps no process alive', async () => {
    vi.useRealTimers()
    const unref = vi.spyOn(setTimeoutPrototype(), 'unref')
    const { keeper } = createCounted()
    await keeper.start()
    expect(unref).toHaveBeenCalledTimes(1)
    keeper.close()
    unref.mockRestore()
  })
})

function setTimeoutPrototype(): NodeJS.Timeout {
  const timer = setTimeout(() => undefined, 0)
  clearTimeout(timer)
  return Object.getPrototypeOf(timer)
}

describe('a single pass', () => {
  function createHeld() {
    const finishes: ((count: number | Error) => void)[] = []
    const pass = createSinglePass(
      () =>
        new Promise((resolve, reject) => {
          finishes.push((count) => (count instanceof Error ? reject(count) : resolve(count)))
        }),
    )
    return { pass, finishes }
  }

  it('runs alone: who asks meanwhile shares the one that follows', async () => {
    const { pass, finishes } = createHeld()
    const first = pass.run()
    const later = [pass.run(), pass.run()]
    expect(finishes).toHaveLength(1)
    finishes[0]?.(1)
    expect(await first).toBe(1)
    await vi.waitFor(() => expect(finishes).toHaveLength(2))
    finishes[1]?.(2)
    expect(await Promise.all(later)).toEqual([2, 2])
    expect(finishes).toHaveLength(2)
    void pass.run()
    expect(finishes).toHaveLength(3)
    finishes[2]?.(0)
  })

  it('that fails stops neither the one that follows nor the next one', async () => {
    const { pass, finishes } = createHeld()
    const first = pass.run()
    const second = pass.run()
    finishes[0]?.(new Error('away'))
    await expect(first).rejects.toThrow('away')
    await vi.waitFor(() => expect(finishes).toHaveLength(2))
    finishes[1]?.(5)
    expect(await second).toBe(5)
  })

  it('is idle after everything that was asked for, failures too', async () => {
    const { pass, finishes } = createHeld()
    await pass.idle()
    const first = pass.run().catch(() => 'failed')
    let idle = false
    const waiting = pass.idle().then(() => {
      idle = true
    })
    expect(idle).toBe(false)
    finishes[0]?.(new Error('away'))
    await waiting
    expect(await first).toBe('failed')
  })
})
