import { afterEach, describe, expect, test, vi } from 'vitest'
import { createReadTurns } from '../../src/http/read-turns.js'

const NEVER = new AbortController().signal

/** Reads that are named by their caller and a number; each goes on until it is told to end. */
function readers({ atOnceMax = 3, callerAtOnceMax = 2, waitMsMax = 1_000 } = {}) {
  const turns = createReadTurns({ atOnceMax, callerAtOnceMax, waitMsMax })
  const begun: string[] = []
  const outcomes = new Map<string, string>()
  const ends = new Map<string, (error?: Error) => void>()
  const ask = (name: string, signal = NEVER, isBegun = false) => {
    const read = () =>
      new Promise<string>((resolve, reject) => {
        begun.push(name)
        ends.set(name, (error) => (error === undefined ? resolve('read') : reject(error)))
      })
    turns.run(name.charAt(0), signal, read, isBegun).then(
      (outcome) => outcomes.set(name, outcome),
      (error: Error & { code?: string }) => outcomes.set(name, error.code ?? error.message),
    )
  }
  const settled = async () => {
    for (let step = 0; step < 20; step++) await Promise.resolve()
  }
  const end = async (name: string, error?: Error) => {
    await settled()
    ends.get(name)?.(error)
    await settled()
  }
  return { begun, outcomes, ask, end, settled }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('turns for reads', () => {
  test('leave room for others: one caller has so many at once, and its others wait', async () => {
    const { begun, ask, settled } = readers()
    for (const name of ['a1', 'a2', 'a3', 'a4']) ask(name)
    ask('b1')
    await settled()
    expect(begun).toEqual(['a1', 'a2', 'b1'])
  })

  test('go round among callers, however many of one wait', async () => {
    const { begun, ask, end } = readers({ atOnceMax: 1, callerAtOnceMax: 1 })
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) ask(name)
    for (const name of ['a1', 'b1', 'c1', 'a2', 'b2']) await end(name)
    expect(begun).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  test('go to what an earlier one began before they begin more of the same caller, and not before other callers', async () => {
    const { begun, ask, end } = readers({ atOnceMax: 1, callerAtOnceMax: 1 })
    for (const name of ['a1', 'a2', 'b1']) ask(name)
    ask('a3', NEVER, true)
    for (const name of ['a1', 'b1', 'a3']) await end(name)
    expect(begun).toEqual(['a1', 'b1', 'a3', 'a2'])
  })

  test('are given back by a read that fails, whose error goes on', async () => {
    const { begun, outcomes, ask, end } = readers({ atOnceMax: 1, callerAtOnceMax: 1 })
    for (const name of ['a1', 'a2']) ask(name)
    await end('a1', new Error('broken'))
    await end('a2')
    expect(begun).toEqual(['a1', 'a2'])
    expect([...outcomes]).toEqual([
      ['a1', 'broken'],
      ['a2', 'read'],
    ])
  })

  test('are not waited for by a request that is over, nor kept by it', async () => {
    const { begun, outcomes, ask, end } = readers({ atOnceMax: 1, callerAtOnceMax: 1 })
    const over = new AbortController()
    ask('a1')
    ask('a2', over.signal)
    ask('a3', AbortSignal.abort())
    ask('b1')
    over.abort()
    await end('a1')
    await end('b1')
    ask('c1')
    await end('c1')
    expect(begun).toEqual(['a1', 'b1', 'c1'])
    expect(outcomes.get('a2')).toBe('overloaded')
    expect(outcomes.get('a3')).toBe('overloaded')
    expect(outcomes.get('c1')).toBe('read')
  })

  test('are waited for only so long', async () => {
    vi.useFakeTimers()
    const { begun, outcomes, ask } = readers({ atOnceMax: 1, callerAtOnceMax: 1, waitMsMax: 5_000 })
    ask('a1')
    ask('b1')
    await vi.advanceTimersByTimeAsync(4_999)
    expect(outcomes.size).toBe(0)
    await vi.advanceTimersByTimeAsync(2)
    expect(outcomes.get('b1')).toBe('overloaded')
    expect(begun).toEqual(['a1'])
  })
})

describe('turns where memory has no room', () => {
  test('do not begin; what was begun goes on, and the others begin once there is room', async () => {
    let isFull = true
    const turns = createReadTurns({ atOnceMax: 3, callerAtOnceMax: 2, waitMsMax: 5_000, hasRoom: () => !isFull })
    const order: string[] = []
    const run = (name: string, isBegun = false) => turns.run(name, NEVER, () => void order.push(name), isBegun)
    const all = Promise.all([run('a'), run('b')])
    await run('c', true)
    expect(order).toEqual(['c'])
    isFull = false
    await all
    expect(order).toEqual(['c', 'a', 'b'])
  })
})
