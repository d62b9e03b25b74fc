import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'
import { parseMembers, readWhole } from '../../src/features/gateway/serve/read-whole.js'
import { UpstreamTrouble } from '../../src/features/gateway/serve/trouble.js'
import { eventually } from '../support/eventually.js'

const { answerBytesMax, answersBytesMax, answerSmallBytes, answerPlainCharacters } = GATEWAY_LIMITS
const MIB = 1_048_576
const LARGE = 8 * MIB

/** An answer in pieces of a megabyte, whose last piece comes when it is told to. */
function answerOf(bytes: number) {
  let left = bytes
  let isAborted = false
  let finish: (end: null) => void = () => undefined
  const over = new Promise<null>((resolve) => {
    finish = resolve
  })
  const piece = Buffer.alloc(MIB, 'x')
  const next = async () => {
    if (left === 0) return over
    const given = piece.subarray(0, Math.min(left, MIB))
    left -= given.length
    return given
  }
  const abort = () => {
    isAborted = true
  }
  const text = readWhole({ next, abort }, answerBytesMax).then(
    (whole) => whole.length,
    (error: unknown) => error,
  )
  return { text, finish: () => finish(null), isRead: () => left === 0, isAborted: () => isAborted }
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('answers that are read whole', () => {
  test('share their room: a large one for which there is none is given up, and a small one is not', async () => {
    const fitting = Array.from({ length: answersBytesMax / LARGE }, () => answerOf(LARGE))
    await settled()
    expect(fitting.every((answer) => answer.isRead() && !answer.isAborted())).toBe(true)
    const [large, small] = [answerOf(LARGE), answerOf(answerSmallBytes)]
    expect(await large.text).toBeInstanceOf(UpstreamTrouble)
    expect(large.isAborted()).toBe(true)
    small.finish()
    expect(await small.text).toBe(answerSmallBytes)
    for (const answer of fitting) answer.finish()
    for (const answer of fitting) expect(await answer.text).toBe(LARGE)
  })

  test('keep their bytes, and not the objects in which they came', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const kept: WeakRef<ArrayBufferLike>[] = []
    let finish: (end: null) => void = () => undefined
    const over = new Promise<null>((resolve) => {
      finish = resolve
    })
    let left = 20_000
    const next = async () => {
      left -= 1
      // A turn, or what a WeakRef was made of is held to the end of this one.
      if (left % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      if (left < 0) return over
      const { buffer } = new Uint8Array(1_024)
      kept.push(new WeakRef(buffer))
      return new Uint8Array(buffer, 0, 1)
    }
    const text = readWhole({ next, abort: () => undefined }, answerBytesMax)
    await eventually(async () => expect(left).toBeLessThan(0))
    await settled()
    collect()
    expect(kept.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(100)
    finish(null)
    expect((await text).length).toBe(kept.length)
  })

  test('give their room back, read to the end or not', async () => {
    for (let round = 0; round < 3; round += 1) {
      const tooLarge = answerOf(answerBytesMax + MIB)
      expect(await tooLarge.text).toBeInstanceOf(UpstreamTrouble)
      const largest = [answerOf(answerBytesMax), answerOf(answerBytesMax)]
      for (const answer of largest) answer.finish()
      for (const answer of largest) expect(await answer.text).toBe(answerBytesMax)
    }
  })

  test('give it back where they break off', async () => {
    for (let round = 0; round < 3; round += 1) {
      let left = 40
      const next = async () => {
        left -= 1
        if (left > 10) return Buffer.alloc(MIB)
        throw new Error('cut')
      }
      await expect(readWhole({ next, abort: () => undefined }, answerBytesMax)).rejects.toThrow('cut')
    }
  })
})

describe('what an upstream says', () => {
  const filler = 'x'.repeat(answerPlainCharacters)
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

  test('is an object, however long its texts are', () => {
    expect(parseMembers(JSON.stringify({ a: filler }))).toEqual({ a: filler })
    expect(parseMembers(JSON.stringify([filler]))).toBeNull()
    expect(parseMembers('{"a":')).toBeNull()
  })

  test.each([
    ['too deep', nested(GATEWAY_LIMITS.answerDepthMax), nested(GATEWAY_LIMITS.answerDepthMax - 1)],
    ['of too many values', JSON.stringify(Array(1_000_001).fill(0)), JSON.stringify(Array(900_000).fill(0))],
  ])('is nothing if it is long and %s', (_, refused, taken) => {
    expect(parseMembers(`{"a":"${filler}","b":${refused}}`)).toBeNull()
    expect(parseMembers(`{"a":"${filler}","b":${taken}}`)).not.toBeNull()
  })
})
