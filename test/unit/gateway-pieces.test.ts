import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'
import { Pieces } from '../../src/features/gateway/serve/pieces.js'

const { piecesAsTheyComeMax, blockBytes } = GATEWAY_LIMITS

function takeAll(pieces: Pieces): readonly Uint8Array[] {
  const taken: Uint8Array[] = []
  for (let piece = pieces.take(); piece !== undefined; piece = pieces.take()) taken.push(piece)
  return taken
}

describe('pieces of an answer that wait', () => {
  test('are a few as they came, and behind them blocks that keep nothing else', () => {
    const pieces = new Pieces()
    const given = Array.from({ length: 3 * blockBytes }, (_, at) => Buffer.from([0, at % 251, 0]).subarray(1, 2))
    for (const piece of given) pieces.add(piece)
    const taken = takeAll(pieces)
    expect(taken.slice(0, piecesAsTheyComeMax)).toEqual(given.slice(0, piecesAsTheyComeMax))
    expect(taken.length).toBe(piecesAsTheyComeMax + 3)
    for (const { buffer } of taken.slice(piecesAsTheyComeMax)) expect(buffer.byteLength).toBe(blockBytes)
    expect(Buffer.concat(taken).equals(Buffer.concat(given))).toBe(true)
    expect(pieces.isEmpty()).toBe(true)
  })

  test('that are forgotten are not there', () => {
    const pieces = new Pieces()
    for (let count = 0; count < 2 * piecesAsTheyComeMax; count += 1) pieces.add(Buffer.from('x'))
    pieces.clear()
    expect(pieces.isEmpty()).toBe(true)
    expect(pieces.take()).toBeUndefined()
  })

  test('keep their bytes and their order, however they are added and taken', () => {
    const step = fc.oneof(
      fc.constant('take' as const),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 2 * blockBytes }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pieces = new Pieces()
        const [given, taken]: [Uint8Array[], Uint8Array[]] = [[], []]
        for (const [at, count] of steps.entries()) {
          if (count === 'take') taken.push(pieces.take() ?? new Uint8Array())
          else {
            given.push(Buffer.alloc(count, at + 1))
            pieces.add(given.at(-1) as Uint8Array)
          }
        }
        taken.push(...takeAll(pieces))
        expect(Buffer.concat(taken).equals(Buffer.concat(given))).toBe(true)
      }),
      { numRuns: 100 },
    )
  })
})
