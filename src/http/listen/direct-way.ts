import type { IncomingMessage } from 'node:http'
import type { Access, Principal } from '../../access/principal.js'
import { invariant } from '../../platform/invariant.js'
import { type JsonBody, parseJson, parsePassed } from '../body/parse-json.js'
import { type BodyLimits, readBytes } from '../body/read-bytes.js'
import type { ErrorShape } from '../error-shape.js'
import { HTTP_LIMITS } from '../limits.js'
import type { ReadHeader } from '../presented-key.js'
import { endHandling, type RequestContext } from '../request-context.js'
import type { Streamed } from '../stream/stream.js'
import { outlastIdleTime } from './outlast-idle-time.js'
import { type AdmitKnown, createHostCheck, isSentOnce, type WarmResponse } from './warm-lane.js'

export type DirectCall = {
  readonly principal: Principal
  readonly header: ReadHeader
  readonly context: RequestContext
  readonly sent: JsonBody
}

type DirectRoute = {
  readonly path: string
  readonly access: Access
  readonly body: BodyLimits
  readonly passesBody: boolean
  readonly errorShape: ErrorShape | null
  readonly responseMsMax: number | undefined
  /** What the endpoint's `handle` gives for this request. Throws what it throws. */
  readonly serve: (call: DirectCall) => Promise<DirectResponse>
}

export type DirectResponse = WarmResponse | Streamed

export type DirectWay = {
  add(route: DirectRoute): void
  /** The response to come, or undefined, which sends the request the ordinary way: nothing was taken from it then. */
  begin(incoming: IncomingMessage, context: RequestContext): Promise<DirectResponse> | undefined
}

/**
 * Serves a small JSON body on an exact path below the router, from a key that is known: the same body reader, checks
 * and handler as on the ordinary way, without Request and Response objects, Hono's context and its router. They are a
 * third of what a logged event costs. Whatever is not plain, and every refusal that comes before the body, goes the
 * ordinary way, so this one has no meaning of its own.
 */
export function createDirectWay(admitKnown: AdmitKnown): DirectWay {
  const routes = new Map<string, DirectRoute>()
  const isPlainHost = createHostCheck()

  return {
    add: (route) => {
      invariant(!/[{:*]/.test(route.path), 'a direct path is exact')
      routes.set(route.path, route)
    },
    begin: (incoming, context) => {
      if (incoming.method !== 'POST') return undefined
      const route = routes.get(incoming.url ?? '')
      if (route === undefined || !isPlain(incoming, route) || !isPlainHost(incoming.headers.host ?? ''))
        return undefined
      const header: ReadHeader = (name) => incoming.headers[name] as string | undefined
      const principal = admitKnown(header, route.access)
      if (principal === undefined || principal instanceof Error || principal.newKey !== null) return undefined
      context.route = route.path
      context.errorShape = route.errorShape
      outlastIdleTime(incoming, route.responseMsMax)
      context.projectId = principal.projectId
      return serve(route, incoming, { principal, header, context })
    },
  }
}

async function serve(
  route: DirectRoute,
  incoming: IncomingMessage,
  call: Omit<DirectCall, 'sent'>,
): Promise<DirectResponse> {
  const { principal, header, context } = call
  const source = { isPublic: route.access.kind === 'public', coding: 'identity' } as const
  try {
    const bytes = await readBytes(incoming, context, route.body, source)
    return await route.serve({
      principal,
      header,
      context,
      sent: route.passesBody ? parsePassed(bytes) : parseJson(bytes),
    })
  } finally {
    endHandling(context)
  }
}

const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i
const LENGTH = /^\d{1,9}$/

/** A JSON body of a stated, small length, and nothing that would be looked at more closely. */
function isPlain(incoming: IncomingMessage, { body }: DirectRoute): boolean {
  const { headers, rawHeaders } = incoming
  const { 'content-type': type, 'content-length': length = '' } = headers
  if (incoming.httpVersionMinor !== 1 || headers.origin !== undefined || headers.expect !== undefined) return false
  if (headers['transfer-encoding'] !== undefined || headers['content-encoding'] !== undefined) return false
  if (type === undefined || (type !== 'application/json' && !JSON_TYPE.test(type))) return false
  if (!LENGTH.test(length) || Number(length) > Math.min(body.bytesMax, HTTP_LIMITS.directBodyBytesMax)) return false
  // Of these Node shows the first if several are sent; the ordinary way sees all of them.
  if (headers.authorization !== undefined && !isSentOnce(rawHeaders, 'authorization')) return false
  return isSentOnce(rawHeaders, 'content-type')
}
