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
  return incoming?.[NOTE] ?? { ...UNSERVED, whenOver: [] }
}

const UNSERVED = { requestId: 'none', startedAt: 0, address: '', route: '', projectId: null, code: null }

/** Calls back when the request is over, on every way out: answered, refused, cut, or its connection gone. */
export function whenOver(note: RequestNote, callback: () => void): void {
  if (note.whenOver === null) callback()
  else note.whenOver.push(callback)
}

export function endRequest(note: RequestNote): void {
  const callbacks = note.whenOver ?? []
  note.whenOver = null
  for (const callback of callbacks) callback()
}
