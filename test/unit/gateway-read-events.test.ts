import { describe, expect, test } from 'vitest'
import { GATEWAY_LIMITS } from '../../src/features/gateway/limits.js'
import { readEvents } from '../../src/features/gateway/serve/read-events.js'

const { eventLinesMax, eventBytesMax } = GATEWAY_LIMITS
const PIECE_BYTES = 16_384

/** The events of a stream of this text, which comes in pieces. */
function eventsOf(text: string) {
  const bytes = Buffer.from(text)
  let at = 0
  const next = async () => {
    if (at >= bytes.length) return null
    const piece = bytes.subarray(at, at + PIECE_BYTES)
    at += PIECE_BYTES
    return piece
  }
  return readEvents({ isEventStream: true, next, abort: () => undefined }, 'openai')
}

describe('a stream of events', () => {
  test.each([
    ['an event that never ends', 'data: 1\n'],
    ['an event of nothing that never ends', 'data:\n'],
    ['events that hold nothing', 'data:\n\n'],
    ['comments', ':\r\n'],
    ['empty lines', '\r'],
  ])('is given up for %s, long before its bytes are too many', async (_, line) => {
    const events = eventsOf(line.repeat(eventBytesMax / line.length))
    await expect(events.next()).rejects.toMatchObject({ outcome: { kind: 'garbage' } })
    expect(events.bytes()).toBeLessThanOrEqual(eventLinesMax * line.length + PIECE_BYTES)
  })

  test('may have an event of many lines, and lines between events', async () => {
    const lines = eventLinesMax / 2
    const events = eventsOf(
      `data: {"b":[\n${'data: 1,\n'.repeat(lines - 2)}data: 1]}\n\n${':\n'.repeat(lines)}data: {"a":1}\n\n`,
    )
    expect(await events.next()).toEqual({ b: Array(lines - 1).fill(1) })
    expect(await events.next()).toEqual({ a: 1 })
    expect(await events.next()).toBeNull()
  })

  test('may have as many lines as it likes if there are events among them', async () => {
    const count = eventLinesMax
    const events = eventsOf(':\n\ndata: {"a":1}\n\n'.repeat(count))
    let read = 0
    while ((await events.next()) !== null) read += 1
    expect(read).toBe(count)
  })
})
