import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from 'hono'
import type { ErrorShape } from './error-shape.js'

/** What the listener learns of a request while it is served: for the metrics and the log line. */
export type RequestContext = {
  readonly requestId: string
  readonly startedAt: number
  readonly address: string
  /** The route's pattern, once one matched. Never the path itself: labels must stay bounded. */
  route: string
  projectId: string | null
  /** The problem's code if the response is one. */
  code: string | null
  /** The members that a problem has here besides its own. */
  errorShape: ErrorShape | null
  /** What to do once the body is not needed any more; null from then on. */
  whenHandled: (() => void)[] | null
  /** Aborted when the service drains: whatever waits without end comes to one now. */
  readonly draining: AbortSignal
  /** Takes the request out of those that are under way; the listener sets it. */
  leaveFlight: (() => void) | null
  /** Whether it waits for what may be long in coming: that is not slow, and a reader that leaves ends it well. */
  isParked: boolean
  /** Behind `signalOf`; made when it is asked for, which few requests do. */
  cut: AbortController | null
  isCut: boolean
}

const CONTEXT = Symbol('request context')
type WithContext = IncomingMessage & { [CONTEXT]?: RequestContext }

/** What @hono/node-server hands to Hono as `c.env`. */
export type NodeBindings = { incoming: IncomingMessage; outgoing: ServerResponse }
export type NodeEnv = { Bindings: NodeBindings }

export function attachContext(incoming: IncomingMessage, context: RequestContext): void {
  ;(incoming as WithContext)[CONTEXT] = context
}

/** The request's context; a fresh one if the app is called without the listener. */
export function contextOf(c: Context): RequestContext {
  const incoming = (c.env as Partial<NodeBindings> | undefined)?.incoming as WithContext | undefined
  return incoming?.[CONTEXT] ?? createContext({ requestId: 'none', startedAt: 0, address: '', draining: NEVER })
}

const NEVER = new AbortController().signal

type KnownOfRequest = Pick<RequestContext, 'requestId' | 'startedAt' | 'address' | 'draining'>

/** Every member is named: with a spread in it this one object was 4 % of what a small request costs. */
export function createContext({ requestId, startedAt, address, draining }: KnownOfRequest, route = ''): RequestContext {
  return {
    requestId,
    startedAt,
    address,
    draining,
    route,
    projectId: null,
    code: null,
    errorShape: null,
    whenHandled: [],
    leaveFlight: null,
    isParked: false,
    cut: null,
    isCut: false,
  }
}

/** Aborted when nothing waits for the response any more: its reader left, it came too late, or a drain cut it. */
export function signalOf(context: RequestContext): AbortSignal {
  context.cut ??= new AbortController()
  if (context.isCut) context.cut.abort()
  return context.cut.signal
}

/**
 * A client ended its side while it waits for what may be long in coming: most often it is gone, and whoever heeds
 * `signalOf` need not go on. What is answered all the same is still written: it may read on (RFC 9112, 9.6).
 */
export function heedHalfClosed(incoming: IncomingMessage): void {
  const context = (incoming as WithContext)[CONTEXT]
  if (context?.isParked) cutRequest(context)
}

export function cutRequest(context: RequestContext): void {
  context.isCut = true
  context.cut?.abort()
}

/** From here on the request is not counted as under way: its endpoint has a limit of its own for those that wait. */
export function parkRequest(context: RequestContext): void {
  context.isParked = true
  leaveFlight(context)
}

function leaveFlight(context: RequestContext): void {
  const leave = context.leaveFlight
  context.leaveFlight = null
  leave?.()
}

/**
 * Calls back when the handler is done with the request's body, or the request is over without it: refused, cut, or
 * gone.
 */
export function whenHandled(context: RequestContext, callback: () => void): void {
  if (context.whenHandled === null) callback()
  else context.whenHandled.push(callback)
}

/** The response may still wait for its reader, who must not decide how long the body's share of memory is taken. */
export function endHandling(context: RequestContext): void {
  const callbacks = context.whenHandled ?? []
  context.whenHandled = null
  for (const callback of callbacks) callback()
}

/** `isAnswered` is false if the response did not get out whole. */
export function endRequest(context: RequestContext, isAnswered: boolean): void {
  leaveFlight(context)
  if (!isAnswered) cutRequest(context)
  endHandling(context)
}
