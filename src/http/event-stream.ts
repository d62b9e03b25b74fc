import { type Cancel, expireAfter } from '../platform/deadline.js'
import { invariant } from '../platform/invariant.js'
import { HTTP_LIMITS } from './limits.js'

/** One event of a stream (HTML standard, 9.2.6). `event` and `id` are one line, without U+0000. */
export type StreamEvent = {
  readonly data: string
  readonly event?: string
  /** What the reader sends as `Last-Event-ID` when it comes back. */
  readonly id?: string
}

export type EventStreamOptions = {
  /** Aborted when the reader is gone. */
  readonly signal: AbortSignal
  /** Aborted when the service drains. */
  readonly draining: AbortSignal
  /** After how long the reader shall come back once the stream has ended. Not the same for all of them. */
  readonly retryMs: number
  /** Called once, when the stream is over for whatever reason. */
  readonly onEnd: () => void
}

export type EventStream = {
  readonly response: Response
  /**
   * Sends an event. A reader that has not taken what was sent before is cut instead: it comes back with the id of the
   * last event it has. One event may be of any size. Says whether the stream goes on.
   */
  send(event: StreamEvent): boolean
}

/** Ends a transfer in its middle. It is printed when that happens, as a line: if it was made tells nothing. */
class ReaderCut extends Error {
  override readonly name = 'ReaderCut'
  override readonly stack = 'A reader of events did not take them, and was cut.'
}

/** nginx would hold events back until it has a block of them. */
const HEADERS = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }

/** A stream of server-sent events, with a comment as a heartbeat, and last words when the service drains. */
export function openEventStream(options: EventStreamOptions): EventStream {
  const { signal, draining, retryMs, onEnd } = options
  const encoder = new TextEncoder()
  let isOpen = true
  let stopHeart: Cancel = () => undefined
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined

  const end = (): boolean => {
    if (!isOpen) return false
    isOpen = false
    stopHeart()
    signal.removeEventListener('abort', leave)
    draining.removeEventListener('abort', finish)
    onEnd()
    return true
  }
  const leave = () => void (end() && controller?.close())
  const finish = () => {
    if (!end()) return
    controller?.enqueue(encoder.encode(`${renderComment('draining')}retry: ${retryMs}\n\n`))
    controller?.close()
  }
  const write = (frame: string): boolean => {
    if (!isOpen) return false
    if ((controller?.desiredSize ?? 0) > 0) controller?.enqueue(encoder.encode(frame))
    else if (end()) controller?.error(new ReaderCut())
    return isOpen
  }
  const beat = () => {
    stopHeart = expireAfter(HTTP_LIMITS.heartbeatMs, () => void (write(renderComment('')) && beat()))
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given
      },
      cancel: () => void end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HTTP_LIMITS.eventBytesUndrainedMax }),
  )
  signal.addEventListener('abort', leave)
  draining.addEventListener('abort', finish)
  beat()
  if (signal.aborted) leave()
  else if (draining.aborted) finish()
  else write(`retry: ${retryMs}\n\n`)
  return { response: new Response(stream, { headers: HEADERS }), send: (event) => write(renderEvent(event)) }
}

/** The text of an event. Data of several lines comes out as it went in, but for the kind of its line ends. */
export function renderEvent({ event, id, data }: StreamEvent): string {
  invariant(!/[\r\n\0]/.test(`${event}${id}`), 'the name and the id of an event are one line')
  const name = event === undefined ? '' : `event: ${event}\n`
  const mark = id === undefined ? '' : `id: ${id}\n`
  return `${name}${mark}${linesOf(data, 'data: ')}\n`
}

/** A line that readers skip: it keeps the connection open on the way. */
export function renderComment(text: string): string {
  return `${linesOf(text, ': ')}\n`
}

const linesOf = (text: string, prefix: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => `${prefix}${line}\n`)
    .join('')
