import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HTTP_LIMITS } from '../../src/http/limits.js'
import { createUnread } from '../../src/http/listen/unread.js'
import { plainPieces } from '../../src/http/response.js'

const HEADERS = { 'Content-Type': 'application/json' }
const textOf = (pieces: readonly string[]) => {
  const { status, headers, body } = plainPieces(pieces, HEADERS)
  expect([status, headers]).toEqual([200, HEADERS])
  return Buffer.from(body ?? '').toString()
}

describe('a response that is written in pieces', () => {
  test('is what its pieces are one behind the other, whatever they are', () => {
    const piece = fc.string({ unit: 'grapheme', maxLength: 40 })
    fc.assert(fc.property(fc.array(piece), (pieces) => textOf(pieces) === pieces.join('')))
  })

  test('is whole where a piece ends with its buffer, goes over it, or is larger than any', () => {
    const { pieceBytes } = HTTP_LIMITS
    for (const length of [pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes]) {
      const pieces = ['ä', 'x'.repeat(length), '€', 'y'.repeat(length), 'z']
      expect(textOf(pieces) === pieces.join('')).toBe(true)
    }
    expect(textOf([])).toBe('')
  })
})

describe('what is unread of responses', () => {
  const socket = (writableLength: number) => ({ writableLength, destroy: () => undefined })

  test('is too much beyond its limit, and one look serves all who ask for some milliseconds', () => {
    let now = 0
    const open = new Set([socket(60)])
    const limits = { unreadBytesMax: 100, unreadMsMax: 1_000 }
    const unread = createUnread(open as never, limits, () => now)
    expect(unread.isExcessive()).toBe(false)
    open.add(socket(41))
    expect([unread.bytes(), unread.isExcessive()]).toEqual([101, false])
    now += HTTP_LIMITS.roomHoldsMs
    expect(unread.isExcessive()).toBe(true)
    open.clear()
    now += HTTP_LIMITS.roomHoldsMs
    expect(unread.isExcessive()).toBe(false)
  })

  test('is not what readers share', () => {
    const shared = socket(500)
    const limits = { unreadBytesMax: 100, unreadMsMax: 1_000 }
    const unread = createUnread(new Set([shared]) as never, limits, undefined, () => true)
    expect([unread.bytes(), unread.isExcessive()]).toEqual([0, false])
  })
})
