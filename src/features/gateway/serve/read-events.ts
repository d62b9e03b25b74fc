import { createParser } from 'eventsource-parser'
import type { ChatWire, Members } from '../../../core/chat/index.js'
import { expireAfter } from '../../../platform/deadline.js'
import { createTurnShare } from '../../../platform/turn-share.js'
import { GATEWAY_LIMITS } from '../limits.js'
import { parseMembers } from './read-whole.js'
import { UpstreamTrouble } from './trouble.js'
import type { UpstreamResponse } from './upstream.js'

/** The events of a stream, one after the other: parsed, and null at its end, which is where it says that it is over. */
export type EventSource = {
  /** Throws `UpstreamTrouble` for what breaks off, stands still or is not JSON. */
  next(): Promise<Members | null>
  /** The bytes that came. */
  readonly bytes: () => number
  abort(): void
}

/** What ends a stream of either language. */
const DONE = '[DONE]'
/** Of all streams together. */
const turns = createTurnShare()
const isLast = (wire: ChatWire, { type }: Members): boolean => wire === 'anthropic' && type === 'message_stop'

/**
 * What is read of an upstream is what was asked for: nothing is read ahead, so a slow caller slows the upstream. Some
 * say that they are over and never close: what comes after that is no event.
 */
export function readEvents(response: UpstreamResponse, wire: ChatWire): EventSource {
  const pace = createPace()
  const { waiting, feed } = createEventText()
  let at = 0
  let bytes = 0
  let isDone = false
  /** The data of the next event that holds any; null at the end of the body. */
  const take = async (): Promise<string | null> => {
    while (at >= waiting.length) {
      waiting.length = at = 0
      const piece = await response.next()
      if (piece === null) return null
      bytes += piece.length
      await pace(piece.length)
      feed(piece)
    }
    const data = waiting[at]
    at += 1
    return data ?? null
  }
  const finish = () => {
    isDone = true
    void readRest(response)
  }
  const next = async (): Promise<Members | null> => {
    const data = isDone ? null : await take()
    if (data === DONE) finish()
    if (data === null || data === DONE) return null
    const event = parseMembers(data)
    if (event === null) throw new UpstreamTrouble({ kind: 'garbage' })
    if (isLast(wire, event)) finish()
    return event
  }
  // Once it is over, its end is not waited for any more, and may come by itself.
  return { next, bytes: () => bytes, abort: () => (isDone ? undefined : response.abort()) }
}

/** What the events of a stream hold, if anything, in `waiting`. Throws `UpstreamTrouble` for too many bytes or lines without one. */
function createEventText() {
  const decoder = new TextDecoder()
  const waiting: string[] = []
  let isTooLarge = false
  let lines = 0
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data !== '') waiting.push(data)
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') isTooLarge = true
    },
    maxBufferSize: GATEWAY_LIMITS.eventBytesMax,
  })
  const feed = (piece: Uint8Array): void => {
    const text = decoder.decode(piece, { stream: true })
    parser.feed(text)
    // Two bytes of a line take a hundred where the parser puts an event together.
    lines = waiting.length > 0 ? 0 : lines + countLines(text)
    if (isTooLarge || lines > GATEWAY_LIMITS.eventLinesMax) throw new UpstreamTrouble({ kind: 'garbage' })
  }
  return { waiting, feed }
}

/** As many line ends of one sign as there are; of both signs two for each. */
function countLines(text: string): number {
  let lines = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 10 || code === 13) lines += 1
  }
  return lines
}

/** Waits for a turn after each `turnBytes` of a stream. */
function createPace(): (bytes: number) => Promise<void> | undefined {
  let left: number = GATEWAY_LIMITS.turnBytes
  return (bytes) => {
    left -= bytes
    if (left > 0) return undefined
    left = GATEWAY_LIMITS.turnBytes
    return turns.take()
  }
}

/** What stands behind the last event is read, so that the connection can be used again; but not for long. */
async function readRest(response: UpstreamResponse): Promise<void> {
  const { restMsMax, restBytesMax } = GATEWAY_LIMITS
  const cancel = expireAfter(restMsMax, response.abort)
  try {
    for (let bytes = 0; bytes <= restBytesMax; ) {
      const piece = await response.next()
      if (piece === null) return
      bytes += piece.length
    }
  } catch {
    // The stream is over: how its connection ends is of no interest.
  } finally {
    response.abort()
    cancel()
  }
}
