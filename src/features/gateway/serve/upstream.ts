import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { readAnswerError } from '../../../core/chat/index.js'
import { expireAfter } from '../../../platform/deadline.js'
import type { Stop } from '../../../platform/stop.js'
import type { Provider } from '../config/providers.js'
import { GATEWAY_LIMITS } from '../limits.js'
import { parseMembers, readWhole } from './read-whole.js'
import { type AnswerHead, type EndedBy, Receiving } from './receive-answer.js'
import { UpstreamTrouble } from './trouble.js'

type UpstreamRequest = {
  readonly provider: Provider
  /** After the provider's address: `/chat/completions`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly isStream: boolean
  /** When the call is over, whatever the upstream does. */
  readonly stop: Stop<EndedBy>
}

/** An answer whose head is here, with a status of success. */
export type UpstreamResponse = Pick<Receiving, 'next' | 'abort'> & { readonly isEventStream: boolean }

export type Upstreams = {
  /** Throws `UpstreamTrouble`. */
  post(sent: UpstreamRequest): Promise<UpstreamResponse>
  close(): Promise<void>
}

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
  const targets = new Map<string, Target>()
  const targetOf = (url: string): Target => {
    const known = targets.get(url)
    if (known !== undefined) return known
    const { hostname, origin, pathname, search } = new URL(url)
    const target = { dispatcher: LOOPBACK.test(hostname) ? direct : outward, origin, path: pathname + search }
    targets.set(url, target)
    return target
  }
  return {
    post: (sent) => post(sent, targetOf(sent.provider.baseUrl + sent.path)),
    close: async () => {
      await Promise.all([direct.destroy(), outward.destroy()])
    },
  }
}

/** As many as there are providers, and paths that are asked for. */
type Target = { readonly dispatcher: Dispatcher; readonly origin: string; readonly path: string }

async function post(sent: UpstreamRequest, { dispatcher, origin, path }: Target): Promise<UpstreamResponse> {
  const { provider, headers, body, isStream, stop } = sent
  const ended = stop.why()
  if (ended !== undefined) throw new UpstreamTrouble({ kind: ended })
  const answer = new Receiving(provider.idleMsMax, stop)
  let isLate = false
  const cancel = expireAfter(isStream ? provider.streamHeadMsMax : provider.answerHeadMsMax, () => {
    isLate = true
    answer.abort()
  })
  try {
    dispatcher.dispatch({ method: 'POST', origin, path, headers, body }, answer)
    const head = await answer.head
    if (head.status >= 200 && head.status < 300)
      return { isEventStream: isEventStream(head), next: () => answer.next(), abort: () => answer.abort() }
    throw await refusal(head, answer, provider)
  } catch (error) {
    answer.abort()
    if (error instanceof UpstreamTrouble) throw error
    if (isLate) throw new UpstreamTrouble({ kind: 'timeout' })
    throw new UpstreamTrouble({ kind: stop.why() ?? (isBroken(error) ? 'cut' : 'refused') })
  } finally {
    cancel()
  }
}

/** A connection that was there: the upstream may have read the request. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(error.code))

const isEventStream = ({ headers }: AnswerHead): boolean =>
  headers['content-type']?.startsWith('text/event-stream') === true

async function refusal(
  { status, headers }: AnswerHead,
  response: Receiving,
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

/** In milliseconds; null for none, and for one that is neither seconds nor a date. */
function readRetryAfter(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}
