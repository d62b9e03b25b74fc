import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { H, RouterRoute } from 'hono/types'
import { AppError } from '../platform/errors.js'
import { describeError, type Logger } from '../platform/logger.js'
import type { App } from './endpoint.js'
import { HTTP_LIMITS } from './limits.js'
import { createRefusalLines } from './listen/refusal-lines.js'
import { problemResponse } from './problem.js'
import { contextOf, type NodeEnv } from './request-context.js'
import { ExactFirstRouter } from './router.js'

type Router = ExactFirstRouter<[H, RouterRoute]>

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const

export type AppOptions = {
  readonly logger: Logger
  /** Translates the trouble of a dependency (a database that is away) into a problem, or gives undefined. */
  readonly explain: (error: unknown) => AppError | undefined
  /** Counts a request that no route takes. Throws `too-many-requests`. */
  readonly admitUnmatched?: ((address: string) => Promise<void>) | undefined
}

/**
 * A Hono app whose every failure is a problem. It routes on the path as it was sent, less one trailing slash: `/x/` is
 * `/x`, and `%2F` inside a segment stays inside it.
 */
export function createApp(options: AppOptions): App {
  const router: Router = new ExactFirstRouter()
  const app: App = new OpenAPIHono<NodeEnv>({ getPath: rawPath, strict: true, router })
  const respondUnmatched = (c: Context) => problem(c, unmatched(router, c.req.path))
  const { admitUnmatched } = options
  app.notFound((c) =>
    admitUnmatched === undefined
      ? respondUnmatched(c)
      : admitUnmatched(contextOf(c).address).then(() => respondUnmatched(c)),
  )
  const problemOf = createProblemOf(options)
  app.onError((error, c) => problem(c, problemOf(error, contextOf(c).requestId)))
  return app
}

/** The problem that a failed request is answered with. What is not a caller's fault gets its line in the log. */
export type ProblemOf = (error: unknown, requestId: string) => AppError

export function createProblemOf({ logger, explain }: AppOptions): ProblemOf {
  const texts = { each: 'dependency failed', rest: 'failures of a dependency' }
  // While a database is away, every request fails by it.
  const failures = createRefusalLines(logger, HTTP_LIMITS.refusalLinesPerSecondMax, 'warn', texts)
  return (error, requestId) => {
    const cause = error instanceof AppError ? error.cause : error
    const explained = cause === undefined ? undefined : explain(cause)
    const line = { request_id: requestId, error: describeError(cause) }
    if (error instanceof AppError) {
      if (explained !== undefined) failures.write(line, error.code)
      return error
    }
    if (explained !== undefined) {
      failures.write(line, explained.code)
      return explained
    }
    logger.error(line, 'unexpected error')
    return new AppError('internal-error', 'Something went wrong here; the log has it under this request id.')
  }
}

function problem(c: Context, error: AppError): Response {
  const context = contextOf(c)
  context.code = error.code
  return problemResponse(error, context.requestId, context.errorShape)
}

/**
 * Nothing matched: the path is unknown, or it is known and the method is not. A path of its own names its own methods:
 * `/aliases/resolve` is not advertised as one of `/aliases/{alias}`, though an alias may be named so.
 */
function unmatched(router: Router, path: string): AppError {
  const own = METHODS.filter((method) => router.knowsExactly(method, path))
  const known = own.length > 0 ? own : METHODS.filter((method) => router.match(method, path)[0].length > 0)
  if (known.length === 0) return new AppError('not-found', 'There is nothing at this address.')
  const allow = known.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return new AppError('method-not-allowed', `This address knows ${allow.join(', ')}.`, { allow })
}

function rawPath(request: Request): string {
  const { url } = request
  const start = url.indexOf('/', url.indexOf(':') + 3)
  if (start === -1) return '/'
  const query = url.indexOf('?', start)
  const fragment = url.indexOf('#', start)
  let end = query === -1 ? url.length : query
  if (fragment !== -1 && fragment < end) end = fragment
  if (end - start > 1 && url.charCodeAt(end - 1) === 0x2f) end -= 1
  return url.slice(start, end)
}
