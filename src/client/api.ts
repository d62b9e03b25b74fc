import { AliasError, type Problem } from './alias-error.js'
import { CLIENT_LIMITS } from './limits.js'

export type ServerOptions = {
  /** Where the server answers, like `https://aliases.example`; a path in it is kept. */
  readonly url: string
  /** The project key. */
  readonly key: string
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
}

type RequestOptions = {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Sent as it is, if it is a text, otherwise as JSON. */
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** Default: `requestMsMax`. null: none, for a stream that its reader watches over. */
  readonly msMax?: number | null
  /** Statuses that are answers, too. */
  readonly expect?: readonly number[]
}

export type Api = {
  /** Where it is, for messages: without user, password and query. */
  readonly where: string
  /** Throws `server-unreachable` if there is no response, and `server-refused` if it is a refusal. */
  send(method: string, path: string, options?: RequestOptions): Promise<Response>
  /** The same, and reads the body. */
  json<T>(method: string, path: string, options?: RequestOptions): Promise<T>
  text(method: string, path: string, options?: RequestOptions): Promise<{ text: string; response: Response }>
}

export function createApi({ url, key, fetch = globalThis.fetch }: ServerOptions): Api {
  const base = new URL(url.endsWith('/') ? url : `${url}/`)
  const where = `${base.origin}${base.pathname}`.replace(/\/$/, '')

  const address = (path: string, query: RequestOptions['query'] = {}): string => {
    const target = new URL(`.${path}`, base)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) target.searchParams.set(name, String(value))
    }
    return target.href
  }
  const unreachable = (cause: unknown) => {
    const late = cause instanceof Error && cause.name === 'TimeoutError'
    return new AliasError('server-unreachable', `${where} ${late ? 'did not answer in time' : 'cannot be reached'}.`, {
      cause,
    })
  }
  /** Runs an exchange; what breaks it off before its last byte makes the server unreachable. */
  const exchange = async <T>(
    method: string,
    path: string,
    { query, headers, body, signal, msMax = CLIENT_LIMITS.requestMsMax, expect = [] }: RequestOptions,
    read: (response: Response) => T | Promise<T>,
  ): Promise<T> => {
    const signals = [...(signal == null ? [] : [signal]), ...(msMax === null ? [] : [AbortSignal.timeout(msMax)])]
    const given = Object.entries({ 'X-Project-Key': key, ...contentType(body), ...headers })
    try {
      const response = await fetch(address(path, query), {
        method,
        headers: Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined)),
        signal: AbortSignal.any(signals),
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      if (!response.ok && !expect.includes(response.status)) throw await refusal(where, response)
      return await read(response)
    } catch (error) {
      throw error instanceof AliasError ? error : unreachable(error)
    }
  }

  return {
    where,
    send: (method, path, options = {}) => exchange(method, path, options, (response) => response),
    json: <T>(method: string, path: string, options: RequestOptions = {}) =>
      exchange(method, path, options, (response) => response.json() as Promise<T>),
    text: (method, path, options = {}) =>
      exchange(method, path, options, async (response) => ({ text: await response.text(), response })),
  }
}

const contentType = (body: unknown): Record<string, string> =>
  body === undefined || typeof body === 'string' ? {} : { 'Content-Type': 'application/json' }

/** What the server says of a request that it refused. A proxy's page is not repeated. */
async function refusal(where: string, response: Response): Promise<AliasError> {
  const { status } = response
  const sent: unknown = await response.json().catch(() => undefined)
  const members = typeof sent === 'object' && sent !== null ? sent : {}
  const problem: Problem = { ...members, status }
  const detail = typeof problem.detail === 'string' ? `: ${problem.detail}` : '.'
  return new AliasError('server-refused', `${where} answered with status ${status}${detail}`, { problem })
}
