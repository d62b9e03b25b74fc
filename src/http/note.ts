import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'

/** What the listener learns of a request while it is served: for the metrics and the log line. */
export type RequestNote = {
  readonly requestId: string
  readonly startedAt: number
  readonly address: string
  /** The route's pattern, once one matched. Never the path itself: labels must stay bounded. */
  route: string
  projectId: string | null
  /** The problem's code where the answer is one. */
  code: string | null
  /** What to do once the request is over; null once it is. */
  whenOver: (() => void)[] | null
  /** Aborted when the service drains: whatever waits without end comes to one now. */
  readonly draining: AbortSignal
  /** Behind `signalOf`; made when it is asked for, which few requests do. */
  cut: AbortController | null
  isCut: boolean
}

const NOTE = Symbol('request note')
type Noted = IncomingMessage & { [NOTE]?: RequestNote }

/** What @hono/node-server hands to Hono as `c.env`. */
export type NodeBindings = { incoming: IncomingMessage }
export type NodeEnv = { Bindings: NodeBindings }

export function attachNote(incoming: IncomingMessage, note: RequestNote): void {
  ;(incoming as Noted)[NOTE] = note
}

/** The request's note; a fresh one where the app is called without the listener. */
export function noteOf(c: Context): RequestNote {
  const incoming = (c.env as Partial<NodeBindings> | undefined)?.incoming as Noted | undefined
  return incoming?.[NOTE] ?? createNote({ requestId: 'none', startedAt: 0, address: '', draining: NEVER })
}

const NEVER = new AbortController().signal

export function createNote(
  known: Pick<RequestNote, 'requestId' | 'startedAt' | 'address' | 'draining'>,
  route = '',
): RequestNote {
  return { ...known, route, projectId: null, code: null, whenOver: [], cut: null, isCut: false }
}

/** Aborted when nothing waits for the response any more: its reader left, it came too late, or a drain cut it. */
export function signalOf(note: RequestNote): AbortSignal {
  note.cut ??= new AbortController()
  if (note.isCut) note.cut.abort()
  return note.cut.signal
}

export function cutRequest(note: RequestNote): void {
  note.isCut = true
  note.cut?.abort()
}

/** Calls back when the request is over, on every way out: answered, refused, cut, or its connection gone. */
export function whenOver(note: RequestNote, callback: () => void): void {
  if (note.whenOver === null) callback()
  else note.whenOver.push(callback)
}

/** `isAnswered` is false where the response did not get out whole. */
export function endRequest(note: RequestNote, isAnswered: boolean): void {
  if (!isAnswered) cutRequest(note)
  const callbacks = note.whenOver ?? []
  note.whenOver = null
  for (const callback of callbacks) callback()
}
