import type { IncomingMessage } from 'node:http'
import type { Access, Principal } from '../../access/principal.js'
import type { AppError } from '../../platform/errors.js'
import { invariant } from '../../platform/invariant.js'
import type { ReadHeader } from '../presented-key.js'

/** All that a warm response may depend on. */
type WarmRequest = {
  readonly principal: Principal
  /** As it was sent, without its `?`: printable ASCII, nothing percent-encoded. */
  readonly query: string
  /**
   * The last segment of the path, where the route ends with a parameter; all that stand for parameters, if the last one
   * takes all that follow. Plain, too, and not empty.
   */
  readonly segment?: string
  readonly ifNoneMatch: string | undefined
}

/** A response as it goes out. `headers` are those of the handler; the manners are added to them. */
export type WarmResponse = {
  readonly status: 200 | 304
  readonly headers: Readonly<Record<string, string>>
  /** Null for a 304. */
  readonly body: string | Uint8Array<ArrayBuffer> | null
}

/**
 * A response from memory: the very one that the endpoint's `handle` would give, or undefined where it cannot be told
 * without waiting or looking closer (cold, odd, wrong). Synchronous; if it throws, the ordinary way says why.
 */
export type Warm = (request: WarmRequest) => WarmResponse | undefined

/** Who is asking, if memory says so: a principal, a refusal, or undefined if something has to be waited for. */
export type AdmitKnown = (header: ReadHeader, access: Access) => Principal | AppError | undefined

type Found = { readonly route: WarmRoute; readonly segment: string | undefined }
type WarmRoute = {
  readonly path: string
  readonly access: Access
  readonly respond: Warm
  /** The last parameter takes all segments that follow. */
  readonly isDeep?: boolean
}

/** What the lane made of a request. */
export type WarmOutcome = {
  readonly route: string
  readonly projectId: string | null
  readonly response: WarmResponse | AppError
}

export type WarmLane = {
  add(route: WarmRoute): void
  /** Undefined sends the request the ordinary way. */
  answer(incoming: IncomingMessage): WarmOutcome | undefined
}

/**
 * Answers what is in memory below the router: one lookup of the exact path, one of the key, and the bytes. The ordinary
 * way costs three times as much CPU (a Request, a Response, their headers, the router, zod), and resolve is what every
 * process of every user asks for. Whatever is not plain goes the ordinary way, so the lane can add no meaning of its
 * own.
 */
export function createWarmLane(admitKnown: AdmitKnown): WarmLane {
  const routes = new Map<string, WarmRoute>()
  /** Routes that end with a parameter, by what stands before it. */
  const patterns = new Map<string, WarmRoute>()
  /** Routes whose last parameter takes all that follows, by what stands before the first one. */
  const trees = new Map<string, WarmRoute>()
  const find = (path: string): Found | undefined => {
    const route = routes.get(path)
    if (route !== undefined) return { route, segment: undefined }
    const begin = path.lastIndexOf('/') + 1
    const pattern = patterns.get(path.slice(0, begin))
    const segment = path.slice(begin)
    if (pattern !== undefined) return PLAIN_SEGMENT.test(segment) ? { route: pattern, segment } : undefined
    return findInTrees(trees, path)
  }
  const isPlainHost = createHostCheck()

  return {
    add: (route) => {
      if (route.isDeep) {
        trees.set(route.path.slice(0, route.path.indexOf('{')), route)
        return
      }
      const prefix = route.path.replace(/\{\w+\}$/, '')
      invariant(!/[{:*]/.test(prefix), 'a warm path is exact, but for its last segment')
      invariant(route.access.kind !== 'project' || !route.access.creates, 'a warm response changes nothing')
      if (prefix !== route.path) {
        patterns.set(prefix, route)
        return
      }
      const bare = route.path.replace(/(.)\/$/, '$1')
      for (const path of [bare, `${bare}/`]) routes.set(path, route)
    },
    answer: (incoming) => {
      const { method, url = '' } = incoming
      if (method !== 'GET' && method !== 'HEAD') return undefined
      const mark = url.indexOf('?')
      const found = find(mark === -1 ? url : url.slice(0, mark))
      if (found === undefined) return undefined
      const query = mark === -1 ? '' : url.slice(mark + 1)
      if (!isPlain(incoming) || !PLAIN_QUERY.test(query) || !isPlainHost(incoming.headers.host ?? '')) return undefined
      return respond(found, incoming, query, admitKnown)
    },
  }
}

function findInTrees(trees: ReadonlyMap<string, WarmRoute>, path: string): Found | undefined {
  for (const [prefix, route] of trees) {
    if (!path.startsWith(prefix)) continue
    const segment = path.slice(prefix.length)
    return segment.split('/').every((one) => PLAIN_SEGMENT.test(one)) ? { route, segment } : undefined
  }
  return undefined
}

/** Nothing that the URL standard would rewrite. */
const PLAIN_QUERY = /^[\w.~:/?@!$'()*,;=&-]*$/
/** Not only dots, and nothing that a router would read as more than itself. */
const PLAIN_SEGMENT = /^[\w~!$'()*,;=-][\w.~:@!$'()*,;=-]*$/
const PLAIN_HOST = /^[a-z0-9._-]+(?::\d{1,5})?$/

/** Says of a Host header whether every reader takes it for the same. */
export const createHostCheck = () => rememberLast((host) => PLAIN_HOST.test(host) && URL.canParse(`http://${host}`))

/** Without a body, an expectation or an origin, and with at most one `Authorization` (Node would show the first). */
function isPlain(incoming: IncomingMessage): boolean {
  const { headers } = incoming
  if (headers.origin !== undefined || headers.expect !== undefined || incoming.httpVersionMinor !== 1) return false
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false
  return headers.authorization === undefined || isSentOnce(incoming.rawHeaders, 'authorization')
}

export function isSentOnce(rawHeaders: readonly string[], name: string): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const sent = rawHeaders[index] as string
    if (sent.length === name.length && sent.toLowerCase() === name) count += 1
  }
  return count === 1
}

function respond(
  { route, segment }: Found,
  incoming: IncomingMessage,
  query: string,
  admitKnown: AdmitKnown,
): WarmOutcome | undefined {
  const header: ReadHeader = (name) => incoming.headers[name] as string | undefined
  const principal = admitKnown(header, route.access)
  if (principal === undefined) return undefined
  if (principal instanceof Error) return { route: route.path, projectId: null, response: principal }
  const ifNoneMatch = incoming.headers['if-none-match']
  const request = segment === undefined ? { principal, query, ifNoneMatch } : { principal, query, ifNoneMatch, segment }
  const response = attempt(route.respond, request)
  return response === undefined ? undefined : { route: route.path, projectId: principal.projectId, response }
}

function attempt(respond: Warm, request: WarmRequest): WarmResponse | undefined {
  try {
    return respond(request)
  } catch {
    return undefined
  }
}

/** A pure test whose last positive input is remembered: nearly all requests name the same host. */
function rememberLast(test: (text: string) => boolean): (text: string) => boolean {
  let last: string | undefined
  return (text) => {
    if (text === last) return true
    if (!test(text)) return false
    last = text
    return true
  }
}
