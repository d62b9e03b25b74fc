import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { every } from '../../src/platform/every.js'

const PAUSE_MS = 60_000
const RETRY_MS = 1_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A job whose runs end as `outcomes` say, one after the other; then all are good. */
function openJob(outcomes: readonly ('good' | Error | (() => Promise<void>))[] = [], random = () => 0.5) {
  const lines: string[] = []
  const say = (_fields: object, message: string) => void lines.push(message)
  let runs = 0
  const job = every({
    name: 'sweep',
    run: () => {
      const outcome = outcomes[runs]
      runs += 1
      if (outcome instanceof Error) throw outcome
      return typeof outcome === 'function' ? outcome() : outcome
    },
    pauseMs: PAUSE_MS,
    retryMs: RETRY_MS,
    logger: { warn: say, info: say },
    random,
  })
  return { job, lines, runs: () => runs }
}

function held() {
  let release: () => void = () => undefined
  const outcome = new Promise<void>((resolve) => {
    release = resolve
  })
  return { outcome, release }
}

describe('a periodic job', () => {
  test('runs at the start, and again a pause after the end of each run', async () => {
    const { job, runs } = openJob()
    await job.start()
    expect(runs()).toBe(1)
    await vi.advanceTimersByTimeAsync(PAUSE_MS - 1)
    expect(runs()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(runs()).toBe(2)
    await vi.advanceTimersByTimeAsync(PAUSE_MS)
    expect(runs()).toBe(3)
    await job.stop()
  })

  test('can run for the first time after a pause', async () => {
    const { job, runs } = openJob()
    job.startLater()
    await vi.advanceTimersByTimeAsync(PAUSE_MS - 1)
    expect(runs()).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(runs()).toBe(1)
    await job.stop()
  })

  test('never overlaps itself, however long a run takes', async () => {
    const { outcome, release } = held()
    const { job, runs } = openJob([() => outcome])
    void job.start()
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS)
    expect(runs()).toBe(1)
    release()
    await vi.advanceTimersByTimeAsync(PAUSE_MS)
    expect(runs()).toBe(2)
    await job.stop()
  })

  test.each([
    [0, 0.9],
    [1, 1.1],
  ])('whose dice shows %d pauses %d times as long: instances do not run all at once', async (dice, factor) => {
    const { job, runs } = openJob([], () => dice)
    await job.start()
    await vi.advanceTimersByTimeAsync(factor * PAUSE_MS - 1)
    expect(runs()).toBe(1)
    await vi.advanceTimersByTimeAsync(2)
    expect(runs()).toBe(2)
    await job.stop()
  })

  test('that fails is tried again sooner, whether it throws or rejects', async () => {
    const { job, runs } = openJob([new Error('thrown'), () => Promise.reject(new Error('rejected'))])
    await job.start()
    await vi.advanceTimersByTimeAsync(RETRY_MS)
    expect(runs()).toBe(2)
    await vi.advanceTimersByTimeAsync(RETRY_MS)
    expect(runs()).toBe(3)
    await vi.advanceTimersByTimeAsync(RETRY_MS)
    expect(runs()).toBe(3)
    await job.stop()
  })

  test('logs the first failure in a row, and the run that ends them', async () => {
    const away = new Error('away')
    const { job, lines } = openJob([away, away, away, 'good', 'good', away])
    await job.start()
    expect(lines).toEqual(['could not sweep; trying again'])
    await vi.advanceTimersByTimeAsync(2 * RETRY_MS)
    expect(lines).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(RETRY_MS)
    expect(lines.slice(1)).toEqual(['could sweep again'])
    await vi.advanceTimersByTimeAsync(2 * PAUSE_MS)
    expect(lines.slice(2)).toEqual(['could not sweep; trying again'])
    await job.stop()
  })

  test('that is stopped waits for the run under way and begins no other', async () => {
    const { outcome, release } = held()
    const { job, runs } = openJob([() => outcome])
    void job.start()
    let isStopped = false
    const stopping = job.stop().then(() => {
      isStopped = true
    })
    await vi.advanceTimersByTimeAsync(PAUSE_MS)
    expect(isStopped).toBe(false)
    release()
    await stopping
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS)
    expect([runs(), vi.getTimerCount()]).toEqual([1, 0])
  })

  test('that is stopped between two runs is stopped at once, even if it failed before', async () => {
    const { job, runs } = openJob([new Error('away')])
    await job.start()
    await job.stop()
    await vi.advanceTimersByTimeAsync(10 * PAUSE_MS)
    expect([runs(), vi.getTimerCount()]).toEqual([1, 0])
  })

  test('keeps no process alive', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const { job } = openJob()
    await job.start()
    expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false])
    await job.stop()
  })
})
