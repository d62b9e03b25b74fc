import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DeadlineExceeded, deadline, expireAfter } from '../../src/platform/deadline.js'

const never = () => new Promise<never>(() => undefined)
const MS = 250

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  // What still waits ends with the test, so the next one starts with no queue.
  vi.runAllTimers()
  vi.useRealTimers()
})

describe('a deadline', () => {
  test('gives the outcome of work that settles in time', async () => {
    await expect(deadline(Promise.resolve('done'), MS)).resolves.toBe('done')
    await expect(deadline(Promise.reject(new Error('failed')), MS)).rejects.toThrow('failed')
  })

  test('rejects after its milliseconds and not before, and says how many', async () => {
    const outcome = vi.fn()
    deadline(never(), MS).catch(outcome)
    await vi.advanceTimersByTimeAsync(MS - 2)
    expect(outcome).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2)
    expect(outcome).toHaveBeenCalledExactlyOnceWith(new DeadlineExceeded(250))
  })

  test('rejects with the error of the caller, which is made only if it is late', async () => {
    const late = vi.fn(() => new RangeError('late'))
    await deadline(Promise.resolve(), MS, late)
    expect(late).not.toHaveBeenCalled()
    const outcome = expect(deadline(never(), MS, late)).rejects.toThrow(RangeError)
    await vi.advanceTimersByTimeAsync(MS)
    await outcome
  })

  test('rejects even if the error of the caller cannot be made', async () => {
    const outcome = expect(
      deadline(never(), MS, () => {
        throw new TypeError('no error')
      }),
    ).rejects.toThrow('no error')
    const other = expect(deadline(never(), MS)).rejects.toThrow('250 ms')
    await vi.advanceTimersByTimeAsync(MS)
    await Promise.all([outcome, other])
  })

  test('does not let work that fails after it become an unhandled rejection', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    let fail: (error: Error) => void = () => undefined
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject
    })
    const outcome = expect(deadline(work, MS)).rejects.toThrow('250 ms')
    await vi.advanceTimersByTimeAsync(MS)
    await outcome
    fail(new Error('too late'))
    vi.useRealTimers()
    await new Promise((resolve) => setImmediate(resolve))
    vi.useFakeTimers()
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('waits of one length', () => {
  test('share one timer, and each ends at its own time', async () => {
    const ended: number[] = []
    for (let begin = 0; begin < 5; begin++) {
      expireAfter(MS, () => ended.push(begin))
      expect(vi.getTimerCount()).toBe(1)
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(ended).toEqual([0])
    await vi.advanceTimersByTimeAsync(100)
    expect(ended).toEqual([0, 1, 2])
    await vi.advanceTimersByTimeAsync(100)
    expect(ended).toEqual([0, 1, 2, 3, 4])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that are cancelled never end, and do not keep the others', async () => {
    const ended: string[] = []
    const cancel = expireAfter(MS, () => ended.push('cancelled'))
    await vi.advanceTimersByTimeAsync(100)
    expireAfter(MS, () => ended.push('kept'))
    cancel()
    cancel()
    await vi.advanceTimersByTimeAsync(MS)
    expect(ended).toEqual(['kept'])
  })

  test('leave their queue in any order, even while it is swept, and the others end in theirs', async () => {
    const ended: number[] = []
    const cancels: (() => void)[] = []
    for (let begin = 0; begin < 6; begin++) {
      cancels.push(
        expireAfter(MS, () => {
          ended.push(begin)
          if (begin === 1) cancels[2]?.()
        }),
      )
    }
    cancels[5]?.()
    cancels[0]?.()
    cancels[3]?.()
    expireAfter(MS, () => ended.push(6))
    await vi.advanceTimersByTimeAsync(MS)
    cancels[1]?.()
    expect(ended).toEqual([1, 4, 6])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('keep nothing of what left: a request is held by none that took its deadline back', async () => {
    const { cancels, requests } = passThrough(3)
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await turn()
    collect()
    expect(requests.filter((request) => request.deref() !== undefined)).toEqual([])
    expect(cancels).toHaveLength(3)
  })

  test('of another length have a timer of their own: a long one does not put off a short one', async () => {
    const ended: string[] = []
    expireAfter(20_000, () => ended.push('long'))
    expireAfter(10, () => ended.push('short'))
    await vi.advanceTimersByTimeAsync(10)
    expect(ended).toEqual(['short'])
  })

  test('cost no new timer one after the other, and the timer ends once none comes', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    for (let count = 0; count < 1_000; count++) await deadline(Promise.resolve(count), MS)
    expect(timers).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(MS)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('keep the process alive only while one waits', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const cancel = expireAfter(MS, () => undefined)
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout
    expect(timer.hasRef()).toBe(true)
    cancel()
    expect(timer.hasRef()).toBe(false)
    expireAfter(MS, () => undefined)
    expect(timer.hasRef()).toBe(true)
  })
})

/** Requests that waited and were answered, beside one that waits on; what took them back is kept. */
function passThrough(count: number) {
  const cancels = [expireAfter(MS, () => undefined)].slice(1)
  const requests: WeakRef<object>[] = []
  for (let index = 0; index < count; index++) {
    const request = { body: [index] }
    const cancel = expireAfter(MS, () => void request.body.pop())
    requests.push(new WeakRef(request))
    cancels.push(cancel)
    cancel()
  }
  return { cancels, requests }
}
