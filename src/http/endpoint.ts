import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { type Access, NO_PROJECT, type Principal } from '../access/principal.js'
import { deadline } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { invariant } from '../platform/invariant.js'
import { networkOf } from './address.js'
import { NO_BODY, type SentBody, takeBody } from './body/body.js'
import type { BodyLimits } from './body/read-bytes.js'
import type { Endpoint, Handled } from './declaration.js'
import { describeEndpoint } from './describe/describe-endpoint.js'
import { HTTP_LIMITS } from './limits.js'
import type { DirectCall, DirectResponse, DirectWay } from './listen/direct-way.js'
import { outlastIdleTime } from './listen/outlast-idle-time.js'
import type { WarmLane } from './listen/warm-lane.js'
import { pathValues, queryValues } from './parameters.js'
import type { ReadTurns, ServiceTurns } from './read-turns.js'
import {
  contextOf,
  cutRequest,
  endHandling,
  type NodeEnv,
  parkRequest,
  type RequestContext,
  signalOf,
} from './request-context.js'
import { respond } from './response.js'
import { EVENT_HEADERS, type EventStream } from './stream/event-stream.js'
import { type InTurn, sendStream } from './stream/stream.js'
import { validate } from './validate.js'

export type App = OpenAPIHono<NodeEnv>

export type Guards = {
  /**
   * Who is asking, or a refusal: `key-required`, `key-unknown`, `role-not-allowed`, `not-found`, `too-many-requests`.
   */
  admit(header: (name: string) => string | undefined, access: Access, address: string): Principal | Promise<Principal>
  /** Gives a key that is new here its project, at its first valid write. */
  provision(principal: Principal): Principal | Promise<Principal>
  readonly body: BodyLimits
  /** Of bodies that are passed on; `body` if absent. */
  readonly passed?: BodyLimits
  readonly reads: Pick<ServiceTurns, 'read' | 'change'>
  readonly lane: Pick<WarmLane, 'add'>
  readonly direct: Pick<DirectWay, 'add'>
}

/**
 * Puts a route on the app and into its OpenAPI document. Nothing is asynchronous unless something has to be waited for.
 */
export function mount<Params, Query, Body>(app: App, guards: Guards, endpoint: Endpoint<Params, Query, Body>): void {
  const isListed = endpoint.bodyItems !== undefined || !endpoint.bodyKinds?.includes('ndjson')
  invariant(isListed, 'the lines of a body are items')
  const body = bodyLimitsOf(endpoint, guards)
  app.openAPIRegistry.registerPath(describeEndpoint(endpoint, body.bytesMax))
  const { warm, access } = endpoint
  if (warm !== undefined)
    guards.lane.add({ path: endpoint.path, access, respond: warm, isDeep: endpoint.isDeep === true })
  if (endpoint.direct) {
    const serveCall = (call: DirectCall) =>
      withDeadline(call.context, serveDirect(endpoint, call), endpoint.responseMsMax)
    const { passesBody = false, errorShape = null, responseMsMax } = endpoint
    guards.direct.add({ path: endpoint.path, access, body, passesBody, errorShape, responseMsMax, serve: serveCall })
  }
  const path = routerPath(endpoint)
  const answer = (c: Context<NodeEnv>) => {
    const context = contextOf(c)
    context.route = endpoint.path
    context.errorShape = endpoint.errorShape ?? null
    const incoming = (c.env as Partial<NodeEnv['Bindings']> | undefined)?.incoming
    if (incoming !== undefined) outlastIdleTime(incoming, endpoint.responseMsMax)
    const admitted = guards.admit((name) => c.req.header(name), endpoint.access, context.address)
    if (!(admitted instanceof Promise) && endpoint.body === undefined) {
      const pending = serve(c, guards, endpoint, admitted, NO_BODY)
      return pending instanceof Promise ? withDeadline(context, pending, endpoint.responseMsMax) : pending
    }
    return serveLater(c, { ...guards, body }, endpoint, admitted)
  }
  app.on(endpoint.method.toUpperCase(), path, (c) => (c.req.method === 'HEAD' ? withoutBody(c, answer(c)) : answer(c)))
}

/** As the router writes it: `/log/tile/:level/:index{.+}`. */
function routerPath({ path, isDeep }: { readonly path: string; readonly isDeep?: true }): string {
  const shallow = path.replace(/\{(\w+)\}/g, ':$1').replace(/(.)\/$/, '$1')
  return isDeep ? `${shallow}{.+}` : shallow
}

/** Hono leaves a body that HEAD does not send as it is: what would be streamed has to be ended. */
async function withoutBody(c: Context, pending: Response | Promise<Response>): Promise<Response> {
  const { body, status, headers } = await pending
  cutRequest(contextOf(c))
  body?.cancel().catch(() => undefined)
  return new Response(null, { status, headers })
}

function bodyLimitsOf<P, Q, B>(endpoint: Endpoint<P, Q, B>, guards: Guards): BodyLimits {
  const { passesBody, bodyBytesMax: own } = endpoint
  if (passesBody) return { ...(guards.passed ?? guards.body), bytesMax: own ?? guards.body.bytesMax }
  return { ...guards.body, bytesMax: bodyBytesMax(endpoint, guards.body.bytesMax) }
}

function bodyBytesMax<P, Q, B>({ bodyBytesMax: own, access }: Endpoint<P, Q, B>, serviceBytesMax: number): number {
  const most = own ?? (access.kind === 'public' ? HTTP_LIMITS.publicBodyBytesMax : serviceBytesMax)
  return Math.min(most, serviceBytesMax)
}

async function serveLater<P, Q, B>(
  c: Context<NodeEnv>,
  guards: Guards,
  endpoint: Endpoint<P, Q, B>,
  admitted: Principal | Promise<Principal>,
): Promise<Response> {
  const context = contextOf(c)
  const principal = admitted instanceof Promise ? await withDeadline(context, admitted) : admitted
  const isPublic = endpoint.access.kind === 'public'
  try {
    const body = endpoint.body === undefined ? NO_BODY : await takeBody(c, guards.body, endpoint, isPublic)
    const response = serve(c, guards, endpoint, principal, body)
    return await (response instanceof Promise ? withDeadline(context, response, endpoint.responseMsMax) : response)
  } finally {
    endHandling(context)
  }
}

function serve<P, Q, B>(
  c: Context<NodeEnv>,
  guards: Guards,
  endpoint: Endpoint<P, Q, B>,
  principal: Principal,
  body: SentBody,
): Response | Promise<Response> {
  const context = contextOf(c)
  context.projectId = principal.projectId
  const params = (endpoint.params === undefined ? {} : validate(endpoint.params, pathValues(c), 'path')) as P
  const { emptyQuery } = endpoint
  const query = (endpoint.query === undefined ? {} : validate(endpoint.query, queryValues(c, emptyQuery), 'query')) as Q
  const value = (endpoint.body === undefined || body.isValid ? body.value : readBody(endpoint, body.value)) as B
  const { address, draining } = context
  const { text } = body
  const header = (name: string) => c.req.header(name)
  const signal = () => signalOf(context)
  const park = () => parkRequest(context)
  // One object, each member named: a spread was 2 % of what a small request costs.
  const handle = (known: Principal) => {
    const read = () =>
      endpoint.handle({ principal: known, params, query, body: value, text, header, address, signal, draining, park })
    const inTurn = endpoint.turns === undefined ? atOnce : turnsOf(guards.reads[endpoint.turns], known, context)
    return toResponse(c, inTurn(read), inTurn)
  }
  const creates = endpoint.access.kind === 'project' && endpoint.access.creates
  const provisioned = creates && principal.newKey !== null ? guards.provision(principal) : principal
  if (!(provisioned instanceof Promise)) return handle(provisioned)
  return provisioned.then((known) => {
    context.projectId = known.projectId
    return handle(known)
  })
}

const atOnce: InTurn = (read) => read()

/** The turns of a project, or of an address that has none. */
function turnsOf(reads: ReadTurns, { projectId }: Principal, context: RequestContext): InTurn {
  const caller = projectId === NO_PROJECT ? networkOf(context.address) : projectId
  return (read, isBegun) => reads.run(caller, signalOf(context), read, isBegun)
}

function toResponse(
  c: Context<NodeEnv>,
  handled: Handled | Promise<Handled>,
  inTurn: InTurn,
): Response | Promise<Response> {
  if (handled instanceof Promise) return handled.then((made) => toResponse(c, made, inTurn))
  if (handled instanceof Response) return handled
  if ('attach' in handled) return sendEvents(c, handled)
  return 'chunks' in handled ? sendStream(handled, inTurn) : respond(handled)
}

/** Below Hono, which learns that it has nothing left to do. */
function sendEvents(c: Context<NodeEnv>, stream: EventStream): Response {
  if (c.req.method === 'HEAD') {
    stream.end()
    return new Response(null, { headers: EVENT_HEADERS })
  }
  stream.attach(c.env.outgoing)
  return RESPONSE_ALREADY_SENT
}

function readBody<P, Q, B>({ body, plainBody }: Endpoint<P, Q, B>, value: unknown): B {
  invariant(body !== undefined, 'what has a body says what it is')
  return plainBody?.(value) ?? validate(body, value, '')
}

/** The same checks and the same handler as in `serve`, for a request without parameters. */
async function serveDirect<P, Q, B>(endpoint: Endpoint<P, Q, B>, call: DirectCall): Promise<DirectResponse> {
  const { principal, header, context, sent } = call
  const { address, draining } = context
  const signal = () => signalOf(context)
  const park = () => parkRequest(context)
  const body = readBody(endpoint, sent.value)
  const params = {} as P
  const query = {} as Q
  const { text } = sent
  const handled = await endpoint.handle({
    principal,
    params,
    query,
    body,
    text,
    header,
    address,
    signal,
    draining,
    park,
  })
  const isPlain = 'body' in handled || 'chunks' in handled
  invariant(isPlain && !(handled instanceof Response), 'a direct response is plain, or a stream')
  return handled
}

/** The outcome, or `timed-out`: what was begun may still be committed, and the problem says so. */
function withDeadline<T>(
  context: RequestContext,
  outcome: Promise<T>,
  msMax: number = HTTP_LIMITS.responseMsMax,
): Promise<T> {
  return deadline(outcome, msMax, () => {
    cutRequest(context)
    const detail = 'The request took too long; if it was a write, it may or may not have happened.'
    return new AppError('timed-out', detail, { retryAfterSeconds: 1 })
  })
}
