import { CLIENT_LIMITS } from './limits.js'

/** An event of a stream (HTML standard, 9.2.6). */
export type ServerEvent = { readonly type: string; readonly data: string; readonly id: string }

export type EventReader = {
  /** Takes the next part of the stream, cut anywhere, and gives the events that it completes. Throws if one is too large. */
  push(text: string): ServerEvent[]
  /** How long the server asks to wait before the next connection, in milliseconds, once it has said so. */
  readonly retryMs: () => number | undefined
}

/** Reads the text of an event stream. What an unfinished event has said is forgotten with the reader, as it must be. */
export function createEventReader(eventCharactersMax: number = CLIENT_LIMITS.eventCharactersMax): EventReader {
  let rest = ''
  let isFirst = true
  let retryMs: number | undefined
  let id = ''
  let type = ''
  let data: string[] = []
  let characters = 0

  const field = (name: string, value: string): void => {
    if (name === 'data') data.push(value)
    else if (name === 'event') type = value
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value)
  }
  const line = (text: string): ServerEvent | undefined => {
    if (text !== '') {
      const colon = text.indexOf(':')
      if (colon === -1) field(text, '')
      else if (colon > 0) field(text.slice(0, colon), text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1))
      return undefined
    }
    const event = data.length === 0 ? undefined : { type: type || 'message', data: data.join('\n'), id }
    type = ''
    data = []
    characters = 0
    return event
  }

  return {
    retryMs: () => retryMs,
    push: (text) => {
      // What was looked through before holds no end of a line, but perhaps for a CR at its very end.
      let from = Math.max(0, rest.length - 1)
      rest += isFirst && text.startsWith('\uFEFF') ? text.slice(1) : text
      isFirst &&= text === ''
      characters += text.length
      const events: ServerEvent[] = []
      let start = 0
      for (let end = lineEnd(rest, from); end !== undefined; end = lineEnd(rest, from)) {
        const event = line(rest.slice(start, end.index))
        if (event !== undefined) events.push(event)
        start = from = end.index + end.length
      }
      rest = rest.slice(start)
      if (characters > eventCharactersMax) throw new Error('An event of the stream is too large.')
      return events
    },
  }
}

/** The next CRLF, LF or CR; a CR that ends the text may be half of a CRLF and waits for what follows. */
function lineEnd(text: string, from: number): { readonly index: number; readonly length: number } | undefined {
  const pattern = /\r\n|\n|\r(?!$)/g
  pattern.lastIndex = from
  const found = pattern.exec(text)
  return found === null ? undefined : { index: found.index, length: found[0].length }
}
