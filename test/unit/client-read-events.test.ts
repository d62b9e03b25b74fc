import { describe, expect, test } from 'vitest'
import { createEventReader, type ServerEvent } from '../../src/client/read-events.js'
import { renderComment, renderEvent } from '../../src/http/stream/event-stream.js'

const STREAM = `${renderComment('hello')}retry: 1500\n\n${renderEvent({ id: '7', data: '{"a":1}' })}${renderEvent({ event: 'x', data: 'one\ntwo' })}`
const EVENTS: ServerEvent[] = [
  { type: 'message', data: '{"a":1}', id: '7' },
  // The id of the last event that had one.
  { type: 'x', data: 'one\ntwo', id: '7' },
]

describe('the reader of events', () => {
  test('reads what the server writes', () => {
    const reader = createEventReader()
    expect(reader.retryMs()).toBeUndefined()
    expect(reader.push(STREAM)).toEqual(EVENTS)
    expect(reader.retryMs()).toBe(1500)
  })

  test('reads the same wherever the stream is cut, with every kind of line end', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = `\uFEFF${STREAM.replaceAll('\n', end)}${end === '\r' ? ': end' : ''}`
      for (let cut = 0; cut <= text.length; cut++) {
        const reader = createEventReader()
        expect([...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut))]).toEqual(EVENTS)
      }
      const reader = createEventReader()
      expect([...text].flatMap((character) => reader.push(character))).toEqual(EVENTS)
    }
  })

  test.each([
    ['an event without data', 'id: 4\n\ndata: x\n\n', [{ type: 'message', data: 'x', id: '4' }]],
    ['a field without a value', 'data\n\n', [{ type: 'message', data: '', id: '' }]],
    ['one space after the colon alone', 'data:  x\n\n', [{ type: 'message', data: ' x', id: '' }]],
    [
      'unknown fields, bad ids and bad retries',
      'retry: soon\nid: a\0b\nother: 1\n: c\ndata: x\n\n',
      [{ type: 'message', data: 'x', id: '' }],
    ],
    ['an event that is not finished', 'data: x\n', []],
  ])('reads as the standard says: %s', (_name, text, events) => {
    expect(createEventReader().push(text)).toEqual(events)
  })

  test('refuses an event that grows without an end, and none because many are long together', () => {
    const reader = createEventReader(100)
    for (let count = 0; count < 10; count++) expect(reader.push(`data: ${'x'.repeat(50)}\n\n`)).toHaveLength(1)
    reader.push(`data: ${'x'.repeat(60)}`)
    expect(() => reader.push('x'.repeat(60))).toThrow(/too large/)
  })
})
