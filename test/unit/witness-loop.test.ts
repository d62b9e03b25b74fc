import { describe, expect, test } from 'vitest'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import type { Asked, Submitted } from '../../src/features/transparency/witness/ask-witness.js'
import { createWitnessLoop } from '../../src/features/transparency/witness/witness-loop.js'

const { witnessPauseMs, witnessRetryMsMax } = TRANSPARENCY_LIMITS
const GOOD: Asked = { ok: true, lines: [] }
const FAILED: Asked = { ok: false, reason: 'away', isContradicted: false }

const checkpointOf = (size: number): Submitted => ({
  size,
  root: new Uint8Array(32),
  note: { text: '', signatures: [] },
})

/** A loop whose witness, time and pauses are a test's own. */
function createLoop(answers: readonly (Asked | 'never' | 'throws')[] = []) {
  const asked: number[] = []
  const cosigned: number[] = []
  const reported: Asked[] = []
  const pauses: number[] = []
  const waiting: (() => void)[] = []
  const answering: (() => void)[] = []
  let now = 0
  let underWay = 0
  let atOnce = 0
  let isItsTurn = true
  const loop = createWitnessLoop({
    ask: async ({ size }, signal) => {
      asked.push(size)
      underWay += 1
      atOnce = Math.max(atOnce, underWay)
      const answer = answers[asked.length - 1] ?? GOOD
      try {
        if (answer === 'never') {
          await new Promise<void>((resolve) => {
            answering.push(resolve)
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
          return FAILED
        }
        if (answer === 'throws') throw new Error('a tile is missing')
        return answer
      } finally {
        underWay -= 1
      }
    },
    onCosigned: async ({ size }) => void cosigned.push(size),
    report: (one) => void reported.push(one),
    mayAsk: () => isItsTurn,
    now: () => now,
    pause: (ms, signal) => {
      pauses.push(ms)
      return new Promise((resolve) => {
        waiting.push(() => {
          now += ms
          resolve()
        })
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    },
  })
  return {
    loop,
    asked,
    cosigned,
    reported,
    pauses,
    atOnce: () => atOnce,
    itsTurn: (isTrue: boolean) => {
      isItsTurn = isTrue
    },
    /** Lets all run that can. */
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
    endPause: () => waiting.shift()?.(),
    answer: () => answering.shift()?.(),
    spend: (ms: number) => {
      now += ms
    },
  }
}

describe('the submissions to one witness', () => {
  test('are of the newest checkpoint, and at most one a second', async () => {
    const { loop, asked, cosigned, pauses, settle, endPause } = createLoop()
    loop.offer(checkpointOf(1))
    for (const size of [2, 5, 3, 4]) loop.offer(checkpointOf(size))
    await settle()
    expect(asked).toEqual([1])
    expect(pauses).toEqual([witnessPauseMs])
    endPause()
    await settle()
    expect(asked).toEqual([1, 5])
    expect(cosigned).toEqual([1, 5])
  })

  test('end once there is nothing new, and begin again with the next checkpoint', async () => {
    const { loop, asked, pauses, settle, endPause } = createLoop()
    loop.offer(checkpointOf(1))
    await settle()
    endPause()
    await settle()
    // A cosigned one that is offered again, with more cosignatures of others, is nothing new.
    loop.offer(checkpointOf(1))
    await settle()
    expect(asked).toEqual([1])
    loop.offer(checkpointOf(2))
    await settle()
    expect(asked).toEqual([1, 2])
    expect(pauses).toHaveLength(2)
  })

  test('never overlap, however slow the witness is', async () => {
    const { loop, asked, atOnce, settle, answer, endPause, spend } = createLoop(['never'])
    loop.offer(checkpointOf(1))
    for (let size = 2; size < 100; size += 1) {
      loop.offer(checkpointOf(size))
      await settle()
    }
    expect(asked).toEqual([1])
    spend(10_000)
    answer()
    await settle()
    endPause()
    await settle()
    expect(asked).toEqual([1, 99])
    expect(atOnce()).toBe(1)
  })

  test('that fail are made again, each time later, to a limit; one that succeeds ends that', async () => {
    const failures = Array.from({ length: 9 }, () => FAILED)
    const { loop, asked, pauses, settle, endPause } = createLoop([...failures, GOOD])
    loop.offer(checkpointOf(1))
    for (let round = 0; round < 10; round += 1) {
      await settle()
      endPause()
    }
    await settle()
    expect(asked).toEqual(Array.from({ length: 10 }, () => 1))
    const doubled = Array.from({ length: 9 }, (_, at) => Math.min(witnessPauseMs * 2 ** (at + 1), witnessRetryMsMax))
    expect(pauses).toEqual([...doubled, witnessPauseMs])
    expect(doubled.at(-1)).toBe(witnessRetryMsMax)
  })

  test('wait while it is the turn of another instance, and go on with the newest checkpoint', async () => {
    const { loop, asked, itsTurn, settle, endPause } = createLoop()
    itsTurn(false)
    for (const size of [1, 2, 3]) loop.offer(checkpointOf(size))
    loop.resume()
    await settle()
    expect(asked).toEqual([])
    itsTurn(true)
    loop.resume()
    await settle()
    expect(asked).toEqual([3])
    // What comes during a pause is left to the other, if it is the other's turn by then.
    loop.offer(checkpointOf(4))
    itsTurn(false)
    endPause()
    await settle()
    loop.offer(checkpointOf(5))
    await settle()
    expect(asked).toEqual([3])
    itsTurn(true)
    loop.resume()
    await settle()
    expect(asked).toEqual([3, 5])
  })

  test('are not resumed after the end, nor without a checkpoint', async () => {
    const { loop, asked, settle } = createLoop()
    loop.resume()
    await settle()
    await loop.close()
    loop.offer(checkpointOf(1))
    loop.resume()
    await settle()
    expect(asked).toEqual([])
  })

  test('that fail say since when, until one succeeds', async () => {
    const { loop, settle, endPause, spend } = createLoop([GOOD, FAILED, 'throws', GOOD])
    const next = async (size: number) => {
      endPause()
      await settle()
      loop.offer(checkpointOf(size))
      await settle()
      return loop.failingSince()
    }
    expect(await next(1)).toBeNull()
    spend(500)
    // The pause after the first is over by then.
    const since = await next(2)
    expect(since).toBe(500 + witnessPauseMs)
    expect(await next(3)).toBe(since)
    expect(await next(4)).toBeNull()
  })

  test('that fail are of the newest checkpoint the next time', async () => {
    const { loop, asked, settle, endPause } = createLoop([FAILED])
    loop.offer(checkpointOf(1))
    loop.offer(checkpointOf(2))
    await settle()
    loop.offer(checkpointOf(7))
    endPause()
    await settle()
    expect(asked).toEqual([1, 7])
  })

  test('outlive what is thrown: it is a failure like others', async () => {
    const { loop, asked, reported, settle, endPause } = createLoop(['throws'])
    loop.offer(checkpointOf(1))
    await settle()
    expect(reported).toEqual([{ ok: false, reason: 'a tile is missing', isContradicted: false }])
    endPause()
    await settle()
    expect(asked).toEqual([1, 1])
    expect(reported.at(-1)).toEqual(GOOD)
  })

  test('end with the service: one under way is given up and not reported, a pause is not waited for', async () => {
    const silent = createLoop(['never'])
    silent.loop.offer(checkpointOf(1))
    await silent.settle()
    await silent.loop.close()
    expect(silent.reported).toEqual([])
    silent.loop.offer(checkpointOf(2))
    await silent.settle()
    expect(silent.asked).toEqual([1])

    const pausing = createLoop()
    pausing.loop.offer(checkpointOf(1))
    await pausing.settle()
    await pausing.loop.close()
    expect(pausing.asked).toEqual([1])
  })
})
