import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { readEvents } from '../../src/features/gateway/serve/read-events.js'
import { SLICE_LIMITS } from '../../src/platform/limits.js'
import { createTurnShare } from '../../src/platform/turn-share.js'

/** Work of `ms` each on a clock of its own, and in which turn each piece of it was done. */
function startWork(ms: number) {
  let now = 0
  let turns = 0
  const share = createTurnShare(() => now)
  const done: { name: string; turns: number }[] = []
  return {
    done,
    work: async (name: string) => {
      await share.take()
      // Steps of one piece, as an iterator that is read takes them.
      for (let step = 0; step < 20; step += 1) await Promise.resolve()
      done.push({ name, turns })
      now += ms
    },
    nextTurn: async () => {
      await turn()
      turns += 1
    },
  }
}

describe('the share of a turn', () => {
  test('lets work go on at once while there is time', () => {
    const share = createTurnShare(() => 0)
    expect(Array.from({ length: 100 }, () => share.take())).toEqual(Array.from({ length: 100 }, () => undefined))
  })

  test('leaves the rest to later turns, as much to each as fits, in the order in which it came', async () => {
    const { done, work, nextTurn } = startWork(SLICE_LIMITS.sliceMsMax / 2)
    const names = Array.from({ length: 9 }, (_, index) => `piece ${index}`)
    await work('first')
    await work('second')
    const all = Promise.all(names.map(work))
    for (let turns = 0; turns < 20; turns += 1) await nextTurn()
    await all
    expect(done.map(({ name }) => name)).toEqual(['first', 'second', ...names])
    const perTurn = new Map<number, number>()
    for (const { turns } of done.slice(2)) perTurn.set(turns, (perTurn.get(turns) ?? 0) + 1)
    expect(Math.max(...perTurn.values())).toBe(2)
    expect(perTurn.size).toBeLessThan(8)
  })

  test('is one piece at least, however long each takes', async () => {
    const { done, work, nextTurn } = startWork(SLICE_LIMITS.sliceMsMax * 10)
    const all = Promise.all(['a', 'b', 'c', 'd'].map(work))
    for (let turns = 0; turns < 20; turns += 1) await nextTurn()
    await all
    expect(done.map(({ name }) => name).join('')).toBe('abcd')
  })
})

test('streams that come as fast as they are read leave turns to everything else', async () => {
  const event = new TextEncoder().encode(`data: {"text":"${'word '.repeat(20)}"}\n\n`.repeat(100))
  const streams = Array.from({ length: 8 }, () => {
    let pieces = 50
    const next = async () => (pieces-- > 0 ? event : null)
    return readEvents({ next, abort: () => undefined, isEventStream: true }, 'openai')
  })
  let turns = 0
  let isOver = false
  const watching = (async () => {
    for (; !isOver; turns += 1) await turn()
  })()
  const counts = await Promise.all(
    streams.map(async ({ next }) => {
      let count = 0
      for (let read = await next(); read !== null; read = await next()) count += 1
      return count
    }),
  )
  expect(turns).toBeGreaterThan(2)
  isOver = true
  await watching
  expect(counts).toEqual(streams.map(() => 5_000))
})
