import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener, RequestError } from '@hono/node-server'
import { AppError } from '../../platform/errors.js'
import { describeError, type Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { clientAddress, networkOf } from '../address.js'
import { createCors, varyFor } from '../cors.js'
import type { ProblemOf } from '../create-app.js'
import { HTTP_LIMITS } from '../limits.js'
import { problemResponse } from '../problem.js'
import { attachContext, createContext, endRequest, type NodeEnv, type RequestContext } from '../request-context.js'
import { ResponseCut } from '../stream/stream.js'
import { writeChunks } from '../stream/write-chunks.js'
import { createResponseWriter, MANNERS, type ResponseWriter } from '../write-response.js'
import type { DirectResponse, DirectWay } from './direct-way.js'
import { createInFlight } from './in-flight.js'
import { inTurn, onceOver } from './once-over.js'
import { createRefusalLines } from './refusal-lines.js'
import { createUnparsedReport, type Reports, report } from './report.js'
import { faultOf, malformed } from './request-fault.js'
import type { ServiceListener } from './server.js'
import type { WarmLane, WarmOutcome } from './warm-lane.js'

export type ListenerOptions = {
  readonly fetch: (request: Request, env: NodeEnv['Bindings']) => Response | Promise<Response>
  /** What is tried first. Without it every request goes the ordinary way, to the same responses. */
  readonly lane?: WarmLane | undefined
  /** What is tried next, for small bodies; what fails there is the problem that `problemOf` makes of it. */
  readonly direct?: { readonly way: DirectWay; readonly problemOf: ProblemOf } | undefined
  readonly logger: Logger
  readonly metrics: Metrics
  readonly corsOrigins: readonly string[]
  readonly trustedProxies: number
  /**
   * The share of ordinary requests that get a log line, 0 to 1. Failed, slow and refused ones do, of the last so many a
   * second.
   */
  readonly accessShare: number
  readonly slowMs: number
  /** Aborted when the service begins to drain. */
  readonly draining: AbortSignal
}

type Reporting = ListenerOptions & Reports & ResponseWriter

const REQUEST_ID = new RegExp(`^[A-Za-z0-9._-]{1,${HTTP_LIMITS.requestIdCharactersMax}}$`)
const IN_FLIGHT = {
  totalMax: HTTP_LIMITS.requestsInFlightMax,
  perAddressMax: HTTP_LIMITS.requestsInFlightPerAddressMax,
}
const UNMATCHED = '(unmatched)'
const MANNER_LIST = Object.entries(MANNERS)

/**
 * Node's request listener with the manners of every response: request id, security headers, CORS, metrics and the log
 * line. They live here, before Hono runs and after the response is out, because a middleware that touches headers after
 * `next()` costs a third of the throughput.
 */
export function createListener(given: ListenerOptions): ServiceListener & { readonly inFlight: () => number } {
  const options = withReporting(given)
  const cors = createCors(options.corsOrigins)
  // Whose request is being taken apart: that is synchronous, so a failure to do so belongs to it.
  let taken: RequestContext | undefined
  const serve = getRequestListener((request, env) => options.fetch(request, env as NodeEnv['Bindings']), {
    // HTTP/1.0 knows no Host header.
    hostname: 'localhost',
    errorHandler: (error) => faultResponse(error, taken, options.logger),
  })
  const inFlight = createInFlight(IN_FLIGHT)

  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // Node drops what stands behind a wish to upgrade (Java's client sends one with its first request), and a request
    // among it would wait for ever: the connection ends here, so its sender knows to send it again.
    if (incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false
    // Whatever is under way: what is in memory is answered at once, unless it had to wait for its connection's turn.
    const warm = outgoing.socket === null ? undefined : options.lane?.answer(incoming)
    if (warm !== undefined) {
      respondWarm(options, warm, incoming, outgoing)
      return
    }
    const context = contextFor(incoming, options)
    attachContext(incoming, context)
    const network = networkOf(context.address)
    const fits = inFlight.enter(network)
    // A refusal that waits behind other responses would need the memory that there is none of.
    if (!fits && outgoing.socket === null) incoming.socket.destroy()
    context.leaveFlight = () => inFlight.leave(network)
    onceOver(incoming, outgoing, () => {
      endRequest(context, isAnswered(outgoing))
      finish(options, context, incoming, outgoing)
    })
    inTurn(outgoing, () => {
      const fault = faultOf(incoming)
      if (fault !== undefined) refuse(options, context, outgoing, fault)
      else if (!fits || !respondDirect(options, context, incoming, outgoing)) {
        setManners(outgoing, context)
        if (cors(incoming, outgoing)) return
        if (!fits) refuse(options, context, outgoing, overloaded())
        else {
          taken = context
          void serve(incoming, outgoing)
        }
      }
    })
  }
  return Object.assign(listener, { inFlight: inFlight.count, reportUnparsed: createUnparsedReport(options) })
}

function withReporting(given: ListenerOptions): Reporting {
  return {
    ...given,
    refusals: createRefusalLines(given.logger, HTTP_LIMITS.refusalLinesPerSecondMax),
    // Apart, so that a flood of the ones does not hide the others.
    unavailable: createRefusalLines(given.logger, HTTP_LIMITS.refusalLinesPerSecondMax, 'error'),
    ...createResponseWriter(varyFor(given.corsOrigins)),
  }
}

function setManners(outgoing: ServerResponse, { requestId }: RequestContext): void {
  outgoing.setHeader('X-Request-Id', requestId)
  for (const [name, value] of MANNER_LIST) outgoing.setHeader(name, value)
}

/** The lane's response, in one write; its line and its count are due at once. */
function respondWarm(
  options: Reporting,
  { route, projectId, response }: WarmOutcome,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const context = contextFor(incoming, options)
  context.route = route
  context.projectId = projectId
  report(options, context, incoming, options.write(context, outgoing, response), undefined)
}

/** Says no, and has done nothing, if the request has to go the ordinary way. */
function respondDirect(
  options: Reporting,
  context: RequestContext,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): boolean {
  const { direct, logger, write, writeHead } = options
  const pending = direct?.way.begin(incoming, context)
  if (direct === undefined || pending === undefined) return false
  const respond = (response: DirectResponse) => {
    if ('chunks' in response) {
      writeHead(context, outgoing, response)
      return writeChunks(outgoing, response.chunks)
    }
    return void write(context, outgoing, response)
  }
  const refuseDirect = (error: unknown) => {
    refuse(options, context, outgoing, direct.problemOf(error, context.requestId))
    // What is left of the body is small, and Node does not throw it away once a reader was there.
    incoming.resume()
  }
  pending.then(respond, refuseDirect).catch((error: unknown) => {
    logger.error({ request_id: context.requestId, error: describeError(error) }, 'a response could not be written')
    outgoing.destroy()
  })
  return true
}

function contextFor(incoming: IncomingMessage, { trustedProxies, draining }: ListenerOptions): RequestContext {
  const sent = incoming.headers['x-request-id']
  const requestId = typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : randomUUID()
  const address = clientAddress(incoming, trustedProxies)
  return createContext({ requestId, startedAt: performance.now(), address, draining }, UNMATCHED)
}

/**
 * A request that cannot be taken apart is the caller's fault. The app answers its own failures: others do not get here.
 */
function faultResponse(error: unknown, context: RequestContext | undefined, logger: Logger): Response {
  const expected = error instanceof RequestError
  if (!expected) logger.error({ error: describeError(error) }, 'unexpected error outside the app')
  const problem = expected ? malformed() : new AppError('internal-error', 'Something went wrong here; the log has it.')
  if (context !== undefined) context.code = problem.code
  return problemResponse(problem, context?.requestId ?? 'none')
}

const overloaded = () => new AppError('overloaded', 'Too many requests are under way.', { retryAfterSeconds: 1 })

function refuse({ write }: Reporting, context: RequestContext, outgoing: ServerResponse, error: AppError): void {
  // Where the request ends is in doubt, so nothing that follows is taken for another one.
  const { httpVersion, headers: sent } = outgoing.req
  if (httpVersion !== '1.1' || sent['transfer-encoding'] !== undefined) outgoing.shouldKeepAlive = false
  write(context, outgoing, error)
}

/** A response counts as written, too, when its connection is cut while its reader has not taken it. */
const isAnswered = ({ writableFinished, req }: ServerResponse): boolean => writableFinished && !req.socket.destroyed

function finish(
  options: Reporting,
  context: RequestContext,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const cut = outgoing.errored instanceof ResponseCut ? outgoing.errored : undefined
  // A stream without an end has one when its reader leaves. 499, as nginx counts it: the client went away before it had
  // its response.
  const isWhole = isAnswered(outgoing) || (context.isParked && outgoing.headersSent)
  report(options, context, incoming, cut !== undefined ? 500 : isWhole ? outgoing.statusCode : 499, cut)
}
