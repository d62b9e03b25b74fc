import { AliasError } from './alias-error.js'
import type { Api } from './api.js'
import type { ClientLimits } from './limits.js'
import type { Change, Delta, Mirror, Position } from './mirror.js'
import { createEventReader } from './read-events.js'

export type Reading = {
  readonly api: Api
  /** Undefined: all of the project's. */
  readonly profile: string | undefined
  readonly mirror: Pick<Mirror, 'position' | 'take'>
  /** Called after a delta was taken. */
  readonly onDelta: (delta: Delta) => void
  readonly signal: AbortSignal
  readonly limits: ClientLimits
}

/** How one way of reading went: `absent` if this server, or something before it, does not offer it; `busy` if it has no room. */
export type Outcome = 'read' | 'absent' | 'busy'

const SYNC = '/api/v1/sync'
/** The route is unknown, or the manner is: an older server, or a proxy that refuses streams. */
const ABSENT = new Set([404, 405, 406, 415, 501])

const BUSY = new Set([429, 503])

const refusedAs = (status: number) => (ABSENT.has(status) ? 'absent' : BUSY.has(status) ? 'busy' : undefined)

const since = (position: Position | undefined) => ({
  since: position?.revision ?? 0,
  epoch: position?.epoch || undefined,
})

function take({ mirror, onDelta }: Reading, delta: Delta): void {
  if (mirror.take(delta)) onDelta(delta)
}

/** Reads what has changed since, once; the server may be asked to hold the answer until something has. */
export async function pollChanges(reading: Reading, isHeld: boolean): Promise<Outcome> {
  const { api, profile, mirror, signal, limits } = reading
  const waitSeconds = isHeld ? limits.pollWaitSeconds : undefined
  const { text, response } = await api.text('GET', SYNC, {
    query: { profile, ...since(mirror.position()), wait: waitSeconds },
    headers: { Accept: 'application/json' },
    // Of a poll that is not held 503 means what it says.
    ...{ signal, expect: isHeld ? [...ABSENT, ...BUSY] : [...ABSENT] },
    msMax: limits.requestMsMax + (waitSeconds ?? 0) * 1_000,
  })
  const refused = refusedAs(response.status)
  if (refused !== undefined) return refused
  take(reading, JSON.parse(text) as Delta)
  return 'read'
}

/** What a list says of an alias; servers of the first generation know one model. */
type Listed = Omit<Change, 'op' | 'revision'> & { readonly model: string; readonly revision?: number }

/**
 * Reads the whole list, from a server that cannot say what has changed. An entity tag spares it where nothing has; the
 * one to send next is given back.
 */
export async function pollList(reading: Reading, etag: string | undefined): Promise<string | undefined> {
  const { api, profile, signal } = reading
  const headers = { 'If-None-Match': etag }
  const { text, response } = await api.text('GET', '/api/v1/aliases/', {
    ...{ query: { profile }, headers, signal },
    expect: [304],
  })
  if (response.status === 304) return etag
  const listed = JSON.parse(text) as readonly Listed[]
  const changes = listed.map(({ revision = 0, model, models, ...rest }): Change => {
    return { ...rest, op: 'upsert', revision, models: models ?? [model] }
  })
  const revision = changes.reduce((highest, change) => Math.max(highest, change.revision), 0)
  take(reading, { epoch: '', revision, reset: true, changes })
  return response.headers.get('etag') ?? undefined
}

/** What a stream told beside its events. */
export type Streamed = { readonly outcome: Outcome; readonly retryMs: number | undefined }

/**
 * Takes changes as the server sends them, until the stream ends. Rejects if it breaks off, or says nothing for longer
 * than heartbeats let it; `absent` if it says nothing at all, since something on the way then holds it back.
 */
export async function streamChanges(reading: Reading, onLive: () => void): Promise<Streamed> {
  const { api, profile, mirror, signal, limits } = reading
  const silence = new AbortController()
  const events = createEventReader()
  let heard = false
  let part: Delta | undefined
  let timer = setTimeout(() => silence.abort(), limits.streamFirstBytesMsMax)
  const hear = () => {
    if (!heard) onLive()
    heard = true
    clearTimeout(timer)
    timer = setTimeout(() => silence.abort(), limits.streamSilenceMsMax)
  }
  try {
    const response = await api.send('GET', SYNC, {
      query: { profile, ...since(mirror.position()) },
      headers: { Accept: 'text/event-stream' },
      ...{ signal: AbortSignal.any([signal, silence.signal]), msMax: null, expect: [...ABSENT, ...BUSY] },
    })
    const isStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')
    const refused = refusedAs(response.status) ?? (isStream ? undefined : 'absent')
    if (refused !== undefined) {
      await response.body?.cancel()
      return { outcome: refused, retryMs: undefined }
    }
    for await (const text of textOf(response)) {
      hear()
      for (const event of events.push(text)) part = takePart(reading, part, JSON.parse(event.data) as Delta)
      // Not what it continues: everything has to be read anew.
      if (mirror.position() === undefined) break
    }
    return { outcome: 'read', retryMs: events.retryMs() }
  } catch (error) {
    if (!heard && silence.signal.aborted) return { outcome: 'absent', retryMs: undefined }
    throw error instanceof AliasError
      ? error
      : new AliasError('server-unreachable', `${api.where} broke off.`, { cause: error })
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

/** Takes a delta that comes in several events once it is whole, so that no alias is missing in between. */
function takePart(reading: Reading, before: Delta | undefined, { more, ...next }: Delta): Delta | undefined {
  const whole =
    before === undefined
      ? next
      : { ...next, reset: before.reset || next.reset, changes: [...before.changes, ...next.changes] }
  if (more === true) return whole
  take(reading, whole)
  return undefined
}

/** The parts of a body as they come. Not every browser can iterate over a stream. */
async function* textOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    yield decoder.decode(part.value, { stream: true })
  }
}
