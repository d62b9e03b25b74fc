import type { ServerResponse } from 'node:http'
import { AppError } from '../platform/errors.js'
import { PROBLEMS } from '../platform/problem-catalogue.js'
import type { WarmResponse } from './listen/warm-lane.js'
import { problemBody, problemHeaders } from './problem.js'
import type { RequestContext } from './request-context.js'
import type { Streamed } from './stream/stream.js'

/** On every response, unless it says otherwise itself. */
export const MANNERS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' }

export type ResponseWriter = {
  /** Writes a plain response, or the problem that an error is, with the manners of every response; gives its status. */
  write(context: RequestContext, outgoing: ServerResponse, response: WarmResponse | AppError): number
  /** Makes the head of a response that will be streamed, with the same manners; it goes out with the first chunk. */
  writeHead(context: RequestContext, outgoing: ServerResponse, streamed: Pick<Streamed, 'headers'>): void
}

type Headers = Readonly<Record<string, string>>

/**
 * A list of names and values, one `writeHead` and one `end` are what Node takes with the least work: headers that are
 * set one by one cost a warm response a tenth more. Most responses share one object of headers, whose list is made
 * once.
 */
export function createResponseWriter(vary: Headers): ResponseWriter {
  const manners = Object.entries({ ...MANNERS, ...vary })
  const flatten = (headers: Headers): string[] => {
    const list: string[] = []
    for (const [name, value] of manners) if (!(name in headers)) list.push(name, value)
    for (const name in headers) list.push(name, headers[name] as string)
    return list
  }
  const flattened = new WeakMap<Headers, readonly string[]>()
  const flat = (headers: Headers): readonly string[] => {
    const known = flattened.get(headers) ?? flatten(headers)
    flattened.set(headers, known)
    return known
  }
  const write: ResponseWriter['write'] = (context, outgoing, response) => {
    const refused = response instanceof AppError
    if (refused) context.code = response.code
    const status = refused ? PROBLEMS[response.code].status : response.status
    const body = refused ? JSON.stringify(problemBody(response, context.requestId, context.errorShape)) : response.body
    const headers = ['X-Request-Id', context.requestId]
    for (const text of refused ? flatten(problemHeaders(response)) : flat(response.headers)) headers.push(text)
    const isMeasured = refused || !('Content-Length' in response.headers)
    if (body !== null && isMeasured && outgoing.req.method !== 'HEAD') {
      headers.push('Content-Length', String(Buffer.byteLength(body)))
    }
    outgoing.writeHead(status, headers)
    outgoing.end(body ?? undefined)
    return status
  }
  return {
    write,
    writeHead: ({ requestId }, outgoing, { headers }) => {
      outgoing.writeHead(200, ['X-Request-Id', requestId, ...flatten(headers)])
    },
  }
}
