import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { H, RouterRoute } from 'hono/types'
import { AppError } from '../platform/errors.js'
import { describeError, type Logger } from '../platform/logger.js'
import type { App } from './endpoint.js'
import { type NodeEnv, noteOf } from './note.js'
import { problemAnswer } from './problem.js'
import { ExactFirstRouter } from './router.js'

type Router = ExactFirstRouter<[H, RouterRoute]>

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const

export type AppOptions = {
  readonly logger: Logger
  /** Translates the trouble of a dependency (a database that is away) into a problem, or gives undefined. */
  readonly explain: (error: unknown) => AppError | undefined
}

/**
 * A Hono app whose every failure is a problem. It routes on the path as it was sent, less one trailing slash: `/x/` is
 * `/x`, and `%2F` inside a segment stays inside it.
 */
export function createApp(options: AppOptions): App {
  const router: Router = new ExactFirstRouter()
  const app: App = new OpenAPIHono<NodeEnv>({ getPath: rawPath, strict: true, router })
  app.notFound((c) => problem(c, unmatched(router, c.req.path)))
  app.onError((error, c) => {
    if (error instanceof AppError) return problem(c, error)
    const explained = options.explain(error)
    if (explained !== undefined) {
      options.logger.warn({ request_id: noteOf(c).requestId, error: describeError(error) }, 'dependency failed')
      return problem(c, explained)
    }
    options.logger.error({ request_id: noteOf(c).requestId, error: describeError(error) }, 'unexpected error')
    return problem(
      c,
      new AppError('internal-error', 'Something went wrong here; the log has it under this request id.'),
    )
  })
  return app
}

function problem(c: Context, error: AppError): Response {
  const note = noteOf(c)
  note.code = error.code
  return problemAnswer(error, note.requestId)
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
