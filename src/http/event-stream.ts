import { whenAborted } from '../platform/abortable.js'
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
  /** Called once, when the stream is over for whatever reason; `isCut` if its reader took too little. */
  readonly onEnd: (isCut: boolean) => void
}

export type EventStream = {
  readonly response: Response
  /**
   * Sends the bytes of one rendered event or several, which many streams may share. A reader that has not taken what was
   * sent before is cut instead: it comes back with the id of the last event it has. One event may be of any size. Says
   * whether the stream goes on.
   */
  sendBytes(events: Uint8Array): boolean
  /** Whether the reader has taken what was sent: then the next event does not cut it. */
  isTaken(): boolean
  /** Calls back, instead of who asked before, once it has, or will never. */
  whenTaken(callback: () => void): void
  /** Ends the stream; its reader comes back. */
  end(): void
  /** The same in its middle, for a reader that takes nothing. */
  cut(): void
}

/** Ends a transfer in its middle. It is printed when that happens, as a line: if it was made tells nothing. */
class ReaderCut extends Error {
  override readonly name = 'ReaderCut'
  override readonly stack = 'A reader of events did not take them, and was cut.'
}

/** nginx would hold events back until it has a block of them. */
const HEADERS = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }

const encoder = new TextEncoder()

/** A stream of server-sent events, with a comment as a heartbeat, and last words when the service drains. */
export function openEventStream({ signal, draining, retryMs, onEnd }: EventStreamOptions): EventStream {
  let isOpen = true
  let stopHeart: Cancel = () => undefined
  let stopDraining: Cancel = () => undefined

  const end = (isCut = false): boolean => {
    if (!isOpen) return false
    isOpen = false
    stopHeart()
    signal.removeEventListener('abort', leave)
    stopDraining()
    onEnd(isCut)
    outlet.forgetWaiting()
    return true
  }
  const outlet = createOutlet(end)
  const leave = () => void (end() && outlet.close())
  const cut = () => void (end(true) && outlet.break(new ReaderCut()))
  const finish = () => void (end() && outlet.close(`${renderComment('draining')}retry: ${retryMs}\n\n`))
  const write = (frame: Uint8Array): boolean => {
    if (!isOpen) return false
    if (outlet.isTaken()) outlet.put(frame)
    else cut()
    return isOpen
  }
  const beat = () => {
    stopHeart = expireAfter(beatMs(), () => void (write(HEARTBEAT) && beat()))
  }

  signal.addEventListener('abort', leave)
  stopDraining = whenAborted(draining, finish)
  beat()
  if (signal.aborted) leave()
  else if (draining.aborted) finish()
  else outlet.put(encoder.encode(`retry: ${retryMs}\n\n`))
  return {
    response: new Response(outlet.stream, { headers: HEADERS }),
    sendBytes: write,
    isTaken: () => !isOpen || outlet.isTaken(),
    whenTaken: outlet.whenTaken,
    end: leave,
    cut,
  }
}

/** The readable side of a stream, and what was put there that its reader has not taken. */
function createOutlet(onCancel: () => void) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let waiting: (() => void) | undefined

  const isTaken = (): boolean => (controller?.desiredSize ?? 0) > 0
  const forgetWaiting = (): void => {
    const callback = waiting
    waiting = undefined
    callback?.()
  }
  const tellTaken = (): void => {
    if (isTaken()) forgetWaiting()
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given
      },
      pull: tellTaken,
      cancel: () => onCancel(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HTTP_LIMITS.eventBytesUndrainedMax }),
  )
  return {
    stream,
    isTaken,
    put: (frame: Uint8Array): void => controller?.enqueue(frame),
    close: (lastWords = ''): void => {
      if (lastWords !== '') controller?.enqueue(encoder.encode(lastWords))
      controller?.close()
    },
    break: (error: Error): void => controller?.error(error),
    whenTaken: (callback: () => void): void => {
      waiting = callback
      tellTaken()
    },
    /** Calls back whoever waits. */
    forgetWaiting,
  }
}

function beatMs(): number {
  const { heartbeatMs, heartbeatShareMin, heartbeatStepsMax } = HTTP_LIMITS
  const step = Math.floor(Math.random() * heartbeatStepsMax) / heartbeatStepsMax
  return Math.round(heartbeatMs * (heartbeatShareMin + (1 - heartbeatShareMin) * step))
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

const HEARTBEAT = encoder.encode(renderComment(''))
