import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { isMembers, type Members, readAnswerError } from '../../core/chat/index.js'
import { expireAfter } from '../../platform/deadline.js'
import { GATEWAY_LIMITS } from './limits.js'
import type { Provider } from './providers.js'
import { UpstreamTrouble } from './trouble.js'

type UpstreamRequest = {
  readonly provider: Provider
  /** After the provider's address: `/chat/completions`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isStream: boolean
  /** Aborted when the call is over, whatever the upstream does. */
  readonly signal: AbortSignal
}

/** An answer whose head is here, with a status of success. */
export type UpstreamResponse = {
  readonly isEventStream: boolean
  /** The next piece of the body, null at its end. Throws `UpstreamTrouble` for one that breaks off or stands still. */
  next(): Promise<Uint8Array | null>
  /** Ends it, if it has not ended; what it does then is not heard. */
  abort(): void
}

export type Upstreams = {
  /** Throws `UpstreamTrouble`. */
  post(sent: UpstreamRequest): Promise<UpstreamResponse>
  close(): Promise<void>
}

/** The reason with which a call's signal is aborted if its time is over. */
export const OUT_OF_TIME = 'out-of-time'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Posts to upstreams: no redirects, a time for each step. Proxies are those of the environment, never for this machine. */
export function createUpstreams(): Upstreams {
  // Our own times are kept by `post`; a connection for each call, or streams would wait for each other.
  const options = {
    connections: GATEWAY_LIMITS.callsInFlightMax,
    connect: { timeout: GATEWAY_LIMITS.connectMsMax },
    ...{ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 10_000 },
  }
  const direct = new Agent(options)
  const outward = new EnvHttpProxyAgent(options)
  const dispatchers = new Map<string, Dispatcher>()
  const dispatcherOf = (url: string): Dispatcher => {
    const known = dispatchers.get(url) ?? (LOOPBACK.test(new URL(url).hostname) ? direct : outward)
    dispatchers.set(url, known)
    return known
  }
  return {
    post: (sent) => post(sent, dispatcherOf(sent.provider.baseUrl)),
    close: async () => {
      await Promise.all([direct.destroy(), outward.destroy()])
    },
  }
}

async function post(sent: UpstreamRequest, dispatcher: Dispatcher): Promise<UpstreamResponse> {
  const { provider, path, headers, body, isStream, signal } = sent
  const own = new AbortController()
  const abort = () => own.abort()
  if (signal.aborted) throw new UpstreamTrouble({ kind: endedBy(signal) })
  signal.addEventListener('abort', abort, { once: true })
  let isLate = false
  const cancel = expireAfter(isStream ? provider.streamHeadMsMax : provider.answerHeadMsMax, () => {
    isLate = true
    abort()
  })
  try {
    const url = provider.baseUrl + path
    const response = await request(url, { method: 'POST', headers, body, dispatcher, signal: own.signal })
    const release = () => signal.removeEventListener('abort', abort)
    const opened = readerOf(response, { idleMsMax: provider.idleMsMax, own, signal, release })
    if (response.statusCode >= 200 && response.statusCode < 300) return opened
    throw await refusal(response, opened, provider)
  } catch (error) {
    signal.removeEventListener('abort', abort)
    if (error instanceof UpstreamTrouble) throw error
    if (isLate) throw new UpstreamTrouble({ kind: 'timeout' })
    throw new UpstreamTrouble({ kind: signal.aborted ? endedBy(signal) : isBroken(error) ? 'cut' : 'refused' })
  } finally {
    cancel()
  }
}

/** Why a call that has to end ends: its time is over, or its caller left. */
const endedBy = ({ reason }: AbortSignal): 'out-of-time' | 'cancelled' =>
  reason === OUT_OF_TIME ? 'out-of-time' : 'cancelled'

/** A connection that was there: the upstream may have read the request. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(error.code))

type Reading = {
  readonly idleMsMax: number
  /** Ends the request. */
  readonly own: AbortController
  /** The call's. */
  readonly signal: AbortSignal
  readonly release: () => void
}

function readerOf(
  { body, headers }: Dispatcher.ResponseData,
  { idleMsMax, own, signal, release }: Reading,
): UpstreamResponse {
  const pieces = body[Symbol.asyncIterator]()
  const type = headers['content-type']
  let isOver = false
  const end = () => {
    isOver = true
    release()
  }
  return {
    isEventStream: typeof type === 'string' && type.startsWith('text/event-stream'),
    next: async () => {
      if (isOver) return null
      let isLate = false
      const cancel = expireAfter(idleMsMax, () => {
        isLate = true
        own.abort()
      })
      try {
        const { done, value } = await pieces.next()
        if (done === true) end()
        return done === true ? null : (value as Uint8Array)
      } catch {
        end()
        throw new UpstreamTrouble({ kind: isLate ? 'timeout' : signal.aborted ? endedBy(signal) : 'cut' })
      } finally {
        cancel()
      }
    },
    abort: () => {
      if (isOver) return
      end()
      // Whatever it fails with now, nothing waits for it.
      body.on('error', () => undefined)
      own.abort()
    },
  }
}

/** The whole body as text. Throws `UpstreamTrouble` for one that is too large. */
export async function readWhole(response: UpstreamResponse, bytesMax: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for (let piece = await response.next(); piece !== null; piece = await response.next()) {
    bytes += piece.length
    if (bytes > bytesMax) {
      response.abort()
      throw new UpstreamTrouble({ kind: 'garbage' })
    }
    pieces.push(piece)
  }
  return (pieces.length === 1 ? Buffer.from(pieces[0] as Uint8Array) : Buffer.concat(pieces)).toString('utf8')
}

async function refusal(
  { statusCode: status, headers }: Dispatcher.ResponseData,
  response: UpstreamResponse,
  provider: Provider,
): Promise<UpstreamTrouble> {
  const { 'retry-after': wait } = headers
  const retryAfterMs = readRetryAfter(wait)
  const outcome = { kind: 'status' as const, status, ...(retryAfterMs === null ? {} : { retryAfterMs }) }
  try {
    const text = await readWhole(response, GATEWAY_LIMITS.errorBytesMax)
    return new UpstreamTrouble(outcome, readTold(text, provider))
  } catch {
    return new UpstreamTrouble(outcome)
  } finally {
    response.abort()
  }
}

function readTold(text: string, provider: Provider): UpstreamTrouble['told'] {
  const value = parseMembers(text)
  const error = value === null ? null : readAnswerError(value)
  return error === null ? null : { message: hideCredential(error.message, provider), type: error.type }
}

/** Upstreams quote the key that they refuse, which may also stand in a header of the configuration: `Bearer …`. */
export function hideCredential(
  text: string,
  { credential, headers }: Pick<Provider, 'credential' | 'headers'>,
): string {
  const words = Object.values(headers).flatMap((value) => value.split(/\s+/))
  const secrets = [credential() ?? '', ...words.filter(({ length }) => length >= GATEWAY_LIMITS.secretCharactersMin)]
  const shown = secrets
    .filter((secret) => secret !== '')
    .reduce((left, secret) => left.replaceAll(secret, '[hidden]'), text)
  return shown.slice(0, GATEWAY_LIMITS.errorCharactersMax)
}

/** A JSON object, or null for any other text. */
export function parseMembers(text: string): Members | null {
  try {
    const value: unknown = JSON.parse(text)
    return isMembers(value) ? value : null
  } catch {
    return null
  }
}

/** In milliseconds; null for none, and for one that is neither seconds nor a date. */
function readRetryAfter(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}
