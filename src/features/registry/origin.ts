import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { REGISTRY_LIMITS } from './limits.js'

type OriginResponse =
  | { readonly status: 'found'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The origin works and says that there is no such file. */
  | { readonly status: 'missing' }
  | { readonly status: 'failed'; readonly reason: string }

export type Origin = {
  /** Fetches one file. Never rejects: what went wrong is in the result, without the origin's own words. */
  get(path: string): Promise<OriginResponse>
  /** Gives up what is under way. */
  close(): Promise<void>
}

export type OriginOptions = {
  readonly baseUrl: string
  readonly fetchMsMax: number
  readonly userAgent: string
  /** Sent to the origin itself only, never to where it redirects. */
  readonly headers?: Readonly<Record<string, string>>
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/**
 * The registry's origin over HTTP. `fetchMsMax` covers a whole fetch: connecting, redirects and the body. Proxies are
 * taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY; an origin on this machine is never asked through one.
 */
export function createOrigin(options: OriginOptions): Origin {
  const base = new URL(options.baseUrl.endsWith('/') ? options.baseUrl : `${options.baseUrl}/`)
  const dispatcher: Dispatcher = LOOPBACK.test(base.hostname) ? new Agent() : new EnvHttpProxyAgent()
  const underWay = new Set<AbortController>()

  const attempt = async (path: string, signal: AbortSignal): Promise<OriginResponse> => {
    const followed = await follow(new URL(path, base), { dispatcher, signal, origin: base.origin, options })
    if ('reason' in followed) return { status: 'failed', reason: followed.reason }
    const { response } = followed
    if (response.status !== 200) {
      await response.body?.cancel()
      if (response.status === 404 || response.status === 410) return { status: 'missing' }
      return { status: 'failed', reason: `it answered with status ${response.status}` }
    }
    const body = await readBody(response, REGISTRY_LIMITS.fileBytesMax)
    return body.ok ? { status: 'found', bytes: body.bytes } : { status: 'failed', reason: body.reason }
  }

  return {
    get: async (path) => {
      const controller = new AbortController()
      const timer = setTimeout(() => controller.abort(), options.fetchMsMax)
      underWay.add(controller)
      try {
        return await attempt(path, controller.signal)
      } catch (error) {
        const late = `it did not answer within ${options.fetchMsMax} ms`
        return { status: 'failed', reason: controller.signal.aborted ? late : networkReason(error) }
      } finally {
        clearTimeout(timer)
        underWay.delete(controller)
      }
    },
    close: async () => {
      for (const controller of underWay) controller.abort()
      await dispatcher.destroy()
    },
  }
}

type Followed = { readonly response: Response } | { readonly reason: string }
type FollowOptions = {
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
  readonly origin: string
  readonly options: OriginOptions
}

/** Follows redirects by hand: bounded, to http and https only, and never from https down to http. */
async function follow(start: URL, { dispatcher, signal, origin, options }: FollowOptions): Promise<Followed> {
  let url = start
  for (let redirects = 0; redirects <= REGISTRY_LIMITS.redirectsMax; redirects++) {
    const own = url.origin === origin ? options.headers : {}
    const headers = { ...own, 'user-agent': options.userAgent, accept: 'application/json' }
    const response = await fetch(url.href, { dispatcher, signal, redirect: 'manual', headers })
    if (!REDIRECTS.has(response.status)) return { response }
    await response.body?.cancel()
    const location = response.headers.get('location')
    if (location === null || !URL.canParse(location, url.href)) return { reason: 'it redirects to nowhere' }
    const next = new URL(location, url)
    const allowed = next.protocol === 'https:' || (next.protocol === 'http:' && url.protocol === 'http:')
    if (!allowed) return { reason: `it redirects to ${next.protocol}` }
    url = next
  }
  return { reason: `it redirects more than ${REGISTRY_LIMITS.redirectsMax} times` }
}

/** The system's code (`ECONNREFUSED`) where there is one: undici wraps it as the cause. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return `it could not be reached or broke off (${code})`
}

/** What a body's bytes came to: all of them, or too many. Rejects if the body breaks off. */
type BodyResult =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly reason: string }

type Body = {
  readonly headers: { get(name: string): string | null }
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null
}

/** Reads a body of at most `bytesMax` bytes (after content decoding) and lets go of a larger one at once. */
async function readBody(response: Body, bytesMax: number): Promise<BodyResult> {
  const tooLarge = { ok: false, reason: `its body is larger than ${bytesMax} bytes` } as const
  if (Number(response.headers.get('content-length') ?? 0) > bytesMax) {
    // Left unread, it would keep its connection for ever: nothing times out on a reader that does not read.
    await response.body?.cancel()
    return tooLarge
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    if (length > bytesMax) return tooLarge
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return { ok: true, bytes }
}
