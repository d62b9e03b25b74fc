import { describe, expect, test, vi } from 'vitest'
import { createFlights } from '../../src/features/gateway/cache/flights.js'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'

type Work = { readonly name: string; readonly over: Promise<void> }

/** Something that is settled from outside. */
function later<T>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}

const done = (name: string): Work => ({ name, over: Promise.resolve() })
/** Lets everything that is settled by now be heard. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('flights', () => {
  test('are begun by the first and joined by those of the same key', async () => {
    const flights = createFlights<Work>()
    const work = later<Work>()
    const begin = vi.fn(() => work.promise)
    const [one, two, other] = ['a', 'a', 'b'].map((key) => flights.board(key, begin))
    expect([one?.leads, two?.leads, other?.leads]).toEqual([true, false, true])
    expect(begin).toHaveBeenCalledTimes(2)
    work.resolve(done('x'))
    expect(await one?.result).toBe(await two?.result)
    expect(flights.count()).toBe(3)
    for (const boarding of [one, two, other]) boarding?.leave()
    expect(flights.count()).toBe(0)
  })

  test('are joined until they are over, and no longer', async () => {
    const flights = createFlights<Work>()
    const over = later<void>()
    const begin = vi.fn(async () => ({ name: 'x', over: over.promise }))
    const first = flights.board('a', begin)
    await first.result
    expect(flights.board('a', begin).leads).toBe(false)
    over.resolve()
    await turn()
    expect(flights.board('a', begin).leads).toBe(true)
  })

  test('share a failure with those aboard, and not with those who come later', async () => {
    const flights = createFlights<Work>()
    const work = later<Work>()
    const [one, two] = [flights.board('a', () => work.promise), flights.board('a', () => work.promise)]
    work.reject(new Error('down'))
    await expect(one.result).rejects.toThrow('down')
    await expect(two.result).rejects.toThrow('down')
    await turn()
    const anew = flights.board('a', async () => done('up'))
    expect(anew.leads).toBe(true)
    expect((await anew.result).name).toBe('up')
  })

  test('end once the last has left before their end, and are not joined then', async () => {
    const flights = createFlights<Work>()
    const work = later<Work>()
    let signal: AbortSignal | undefined
    const begin = (given: AbortSignal) => {
      signal = given
      return work.promise
    }
    const [one, two] = [flights.board('a', begin), flights.board('a', begin)]
    one.leave()
    one.leave()
    expect(signal?.aborted).toBe(false)
    two.leave()
    expect(signal?.aborted).toBe(true)
    expect(flights.board('a', begin).leads).toBe(true)
    work.resolve(done('x'))
  })

  test('are not ended by those who leave after their end', async () => {
    const flights = createFlights<Work>()
    let signal: AbortSignal | undefined
    const one = flights.board('a', async (given) => {
      signal = given
      return done('x')
    })
    await one.result
    await turn()
    one.leave()
    expect(signal?.aborted).toBe(false)
  })

  test('one that is over does not take a newer one of its key along', async () => {
    const flights = createFlights<Work>()
    const old = later<Work>()
    const first = flights.board('a', () => old.promise)
    first.leave()
    const second = flights.board('a', () => later<Work>().promise)
    expect(second.leads).toBe(true)
    old.resolve(done('old'))
    await turn()
    expect(flights.board('a', () => later<Work>().promise).leads).toBe(false)
  })

  test('take a bounded number of callers; those who leave make room', () => {
    const flights = createFlights<Work>()
    const forever = () => later<Work>().promise
    const boardings = Array.from({ length: GATEWAY_LIMITS.sharedCallersMax }, () => flights.board('a', forever))
    expect(() => flights.board('a', forever)).toThrow('Too many calls')
    boardings[0]?.leave()
    expect(flights.board('a', forever).leads).toBe(false)
  })
})
