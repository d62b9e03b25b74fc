import { createParser } from 'eventsource-parser'
import type { Members } from '../../core/chat/index.js'
import { GATEWAY_LIMITS } from './limits.js'
import { UpstreamTrouble } from './trouble.js'
import { parseMembers, type UpstreamResponse } from './upstream.js'

/** The events of a stream, one after the other: parsed, and null at its end. */
export type EventSource = {
  /** Throws `UpstreamTrouble` for what breaks off, stands still or is not JSON. */
  next(): Promise<Members | null>
  /** The bytes that came. */
  readonly bytes: () => number
  abort(): void
}

const DONE = '[DONE]'

/** What is read of an upstream is what was asked for: nothing is read ahead, so a slow caller slows the upstream. */
export function readEvents(response: UpstreamResponse): EventSource {
  const decoder = new TextDecoder()
  const waiting: string[] = []
  let at = 0
  let bytes = 0
  let isTooLarge = false
  const parser = createParser({
    onEvent: ({ data }) => void waiting.push(data),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') isTooLarge = true
    },
    maxBufferSize: GATEWAY_LIMITS.eventBytesMax,
  })
  const take = (): string | undefined => {
    const data = waiting[at]
    at += 1
    if (at >= waiting.length) {
      waiting.length = 0
      at = 0
    }
    return data
  }
  const next = async (): Promise<Members | null> => {
    // One piece can hold thousands of events without data: a loop, since a call for each would fill the stack.
    let data = ''
    while (data === '' || data === DONE) {
      while (waiting.length === 0) {
        const piece = await response.next()
        if (piece === null) return null
        bytes += piece.length
        parser.feed(decoder.decode(piece, { stream: true }))
        if (isTooLarge) throw new UpstreamTrouble({ kind: 'garbage' })
      }
      data = take() ?? ''
    }
    const event = parseMembers(data)
    if (event === null) throw new UpstreamTrouble({ kind: 'garbage' })
    return event
  }
  return { next, bytes: () => bytes, abort: response.abort }
}
