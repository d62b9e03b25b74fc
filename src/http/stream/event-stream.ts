import type { ServerResponse } from 'node:http'
import { whenAborted } from '../../platform/abortable.js'
import { type Cancel, expireAfter } from '../../platform/deadline.js'
import { invariant } from '../../platform/invariant.js'
import { HTTP_LIMITS } from '../limits.js'

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

/** The text of events as bytes, which many streams may share: as it stands, and as a chunk (RFC 9112, 7.1). */
export type EventBytes = { readonly plain: Buffer; readonly chunk: Buffer }

export type EventStream = {
  /** Writes the head, and whatever was sent before. Does nothing to a response that is out already. */
  attach(outgoing: ServerResponse): void
  /**
   * Sends one rendered event or several. A reader that has not taken what was sent before is cut instead: it comes back
   * with the id of the last event it has. One event may be of any size. Says whether the stream goes on.
   */
  sendBytes(events: EventBytes): boolean
  /** Whether the reader has taken what was sent: then the next event does not cut it. */
  isTaken(): boolean
  /** Calls back, instead of who asked before, once it has, or will never. */
  whenTaken(callback: () => void): void
  /** Ends the stream; its reader comes back. */
  end(): void
  /** The same in its middle, for a reader that takes nothing. */
  cut(): void
}

/** nginx would hold events back until it has a block of them. */
export const EVENT_HEADERS = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }

/** A stream of server-sent events, with a comment as a heartbeat, and last words when the service drains. */
export function openEventStream({ signal, draining, retryMs, onEnd }: EventStreamOptions): EventStream {
  const outlet = createOutlet()
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
  const leave = () => void (end() && outlet.close())
  const cut = () => void (end(true) && outlet.break())
  const finish = () => {
    if (!end()) return
    outlet.put(toEventBytes(`${renderComment('draining')}retry: ${retryMs}\n\n`))
    outlet.close()
  }
  const write = (events: EventBytes): boolean => {
    if (!isOpen) return false
    if (outlet.isTaken()) outlet.put(events)
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
  else outlet.put(toEventBytes(`retry: ${retryMs}\n\n`))
  return {
    attach: outlet.attach,
    sendBytes: write,
    isTaken: () => !isOpen || outlet.isTaken(),
    whenTaken: outlet.whenTaken,
    end: leave,
    cut,
  }
}

/**
 * The connection below the response, and what was put there that its reader has not taken. One write of bytes that all
 * readers share, and no object for each: with a web stream for each reader, telling 10,000 of them took twice the
 * processor time, and collecting what that left held the event loop.
 */
function createOutlet() {
  let early: EventBytes[] | undefined = []
  let outgoing: ServerResponse | undefined
  let ending: Ending | undefined
  let waiting: (() => void) | undefined

  const isTaken = (): boolean => outgoing === undefined || isDrained(outgoing)
  const forgetWaiting = (): void => {
    const callback = waiting
    waiting = undefined
    callback?.()
  }
  const put = (events: EventBytes): void => {
    early?.push(events)
    if (early === undefined) outgoing?.socket?.write(outgoing.chunkedEncoding ? events.chunk : events.plain)
  }
  const endWith = (how: Ending): void => {
    ending = how
    if (outgoing !== undefined) endResponse(outgoing, how)
  }
  return {
    attach: (given: ServerResponse): void => {
      if (given.headersSent) return
      const sent = early ?? []
      outgoing = given
      early = undefined
      given.socket?.cork()
      given.writeHead(200, EVENT_HEADERS)
      given.flushHeaders()
      for (const events of sent) put(events)
      given.socket?.uncork()
      if (ending !== undefined) endResponse(given, ending)
    },
    isTaken,
    put,
    close: () => endWith('whole'),
    break: () => endWith('broken'),
    whenTaken: (callback: () => void): void => {
      waiting = callback
      if (isTaken()) forgetWaiting()
      else outgoing?.socket?.once('drain', forgetWaiting)
    },
    /** Calls back whoever waits. */
    forgetWaiting,
  }
}

/** Whether it comes to its end, or breaks off in its middle. */
type Ending = 'whole' | 'broken'

function endResponse(outgoing: ServerResponse, ending: Ending): void {
  if (outgoing.destroyed) return
  if (ending === 'whole') outgoing.end()
  else outgoing.destroy()
}

/** Whether its connection takes more: one that is gone takes everything. */
const isDrained = ({ socket }: ServerResponse): boolean =>
  socket === null || socket.writableLength < socket.writableHighWaterMark

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

/** What is sent to many is made once. */
export function toEventBytes(text: string): EventBytes {
  const size = `${Buffer.byteLength(text).toString(16)}\r\n`
  const chunk = Buffer.from(`${size}${text}\r\n`)
  return { plain: chunk.subarray(size.length, -2), chunk }
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

const HEARTBEAT = toEventBytes(renderComment(''))
