import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from '@hono/zod-openapi'
import { type Access, NO_PROJECT, PUBLIC, READS } from '../../src/access/principal.js'
import { type BodyLimits, createBodyLimits } from '../../src/http/body/read-bytes.js'
import { createApp } from '../../src/http/create-app.js'
import type { Endpoint } from '../../src/http/declaration.js'
import { type App, type Guards, mount } from '../../src/http/endpoint.js'
import { createListener } from '../../src/http/listen/listener.js'
import { type HttpServer, listen, type ServerLimits } from '../../src/http/listen/server.js'
import type { WarmLane } from '../../src/http/listen/warm-lane.js'
import { createServiceReadTurns } from '../../src/http/read-turns.js'
import { plainBytes } from '../../src/http/response.js'
import { type EventStream, openEventStream } from '../../src/http/stream/event-stream.js'
import { abortable } from '../../src/platform/abortable.js'
import { AppError } from '../../src/platform/errors.js'
import type { Logger } from '../../src/platform/logger.js'
import { createMetrics, type Metrics } from '../../src/platform/metrics.js'

type Line = { level: string; message: string; fields: Record<string, unknown> }

export type HttpWorld = {
  readonly server: HttpServer
  readonly metrics: Metrics
  /** What was logged, oldest first. */
  readonly lines: Line[]
  /** The log line of the last request of a route. */
  requestLine(route: string): Line | undefined
  /** Requests for `/held` that wait for their release. */
  readonly held: (() => void)[]
  readonly inFlight: () => number
  /** Aborts the signal of a drain. */
  startDraining(): void
  /** The streams that `/events` opened. */
  readonly streams: EventStream[]
  /** How many readers of a stream were noticed to be gone. */
  readonly ended: () => number
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** A connection on which this was sent, from 127.0.0.1 unless it is told otherwise. */
  open(text: string, localAddress?: string): Promise<Socket>
  /** What comes back until the service closes the connection. */
  exchange(text: string): Promise<string>
}

/** More than the system takes of a response that is not read. */
export const LARGE = new Uint8Array(12_000_000)
const TEXT = { 'Content-Type': 'text/plain' }

/** What must stay inside. */
export const SECRET = 'select secret_column from tenants'

export type HttpWorldOptions = {
  readonly body?: BodyLimits
  readonly limits?: Partial<ServerLimits>
  readonly lane?: WarmLane
}

const guardsWith = (body: BodyLimits): Guards => ({
  body,
  reads: createServiceReadTurns(),
  lane: { add: () => undefined },
  direct: { add: () => undefined },
  admit: () => ({ projectId: NO_PROJECT, role: 'read', keyId: null, newKey: null }),
  provision: (principal) => principal,
})

/**
 * The listener and the server with a small app behind them, whose routes misbehave by name: no route of the composed
 * service can be made to hang, throw or break off its response when a test wants it.
 */
export async function startHttpWorld({
  body = createBodyLimits(1_000),
  limits,
  lane,
}: HttpWorldOptions = {}): Promise<HttpWorld> {
  const lines: Line[] = []
  const held: (() => void)[] = []
  const streams: EventStream[] = []
  const drain = new AbortController()
  let ended = 0
  const metrics = createMetrics()
  const logger = recordTo(lines)
  const onEnd = () => {
    ended += 1
  }
  const app = createTestApp(logger, guardsWith(body), held, streams, onEnd)
  const fetch = (...args: Parameters<App['fetch']>) => app.fetch(...args)
  const manners = { corsOrigins: [], trustedProxies: 1, accessShare: 0, slowMs: 60_000, draining: drain.signal }
  const listener = createListener({ fetch, lane, logger, metrics, ...manners })
  const server = await listen(listener, '127.0.0.1', 0, limits)
  const open = async (text: string, localAddress = '127.0.0.1'): Promise<Socket> => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress })
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }
  return {
    ...{ startDraining: () => drain.abort(), streams },
    ...{ server, metrics, lines, held, ended: () => ended, inFlight: listener.inFlight, open },
    requestLine: (route) => lines.findLast((line) => line.message === 'request' && line.fields['route'] === route),
    get: (path, headers = {}) => globalThis.fetch(server.url + path, { headers }),
    exchange: async (text) => {
      let received = ''
      for await (const chunk of await open(text)) received += String(chunk)
      return received
    },
  }
}

function recordTo(lines: Line[]): Logger {
  const record =
    (level: string) =>
    (fields: Record<string, unknown>, message = '') =>
      void lines.push({ level, message, fields })
  return { info: record('info'), warn: record('warn'), error: record('error') } as unknown as Logger
}

function createTestApp(
  logger: Logger,
  guards: Guards,
  held: (() => void)[],
  streams: EventStream[],
  onEnd: () => void,
): App {
  const explain = (error: unknown) =>
    error instanceof TypeError
      ? new AppError('database-unavailable', 'It is away.', { retryAfterSeconds: 1 })
      : undefined
  const app = createApp({ logger, explain })
  const route = (path: string, handle: Handle) => mountGet(app, guards, path, handle)
  route('/numbers', () => ({ chunks: numbers(onEnd), headers: TEXT }))
  route('/waits', ({ signal }) => ({ chunks: waits(signal(), onEnd), headers: TEXT }))
  route('/silent', ({ signal }) => ({ chunks: waits(signal(), onEnd, 'silent'), headers: TEXT }))
  route('/events', ({ signal, draining }) => {
    const stream = openEventStream({ signal: signal(), draining, retryMs: 1_234, onEnd })
    streams.push(stream)
    return stream
  })
  const long = { responseMsMax: 50 }
  mountGet(
    app,
    guards,
    '/too-slow',
    ({ signal }) => abortable(new Promise<never>(() => undefined), signal()).finally(onEnd),
    long,
  )
  route('/breaks-off', () => ({ chunks: breaksOff(), headers: TEXT }))
  route('/unexpected', () => Promise.reject(new Error(SECRET)))
  route('/at-once', () => {
    throw new Error(SECRET)
  })
  route('/explained', () => Promise.reject(new TypeError(SECRET)))
  route('/held', () => new Promise((resolve) => held.push(() => resolve(new Response('held')))))
  route('/ok', () => new Response('ok'))
  route('/large', () => plainBytes(LARGE))
  const hold = (text: string) => new Promise<Response>((resolve) => held.push(() => resolve(new Response(text))))
  mountPost(app, guards, '/echo', PUBLIC, ({ text }) => new Response(text))
  mountPost(app, guards, '/held-echo', PUBLIC, ({ text }) => hold(text))
  mountPost(app, guards, '/keyed-echo', READS, ({ text }) => new Response(text))
  const kinds = { bodyKinds: ['json', 'ndjson', 'toml'], bodyItems: ITEMS, bodyGzip: true } as const
  mountPost(app, guards, '/kinds', READS, ({ body }) => Response.json(body), kinds)
  return app
}

type Handle = Endpoint<unknown, unknown, unknown>['handle']

function mountGet(
  app: App,
  guards: Guards,
  path: string,
  handle: Handle,
  limits: { responseMsMax?: number } = {},
): void {
  const responses = { 200: { description: 'The answer.' } }
  mount(app, guards, {
    method: 'get',
    path,
    tag: 'Test',
    operationId: path,
    summary: path,
    access: PUBLIC,
    ...limits,
    responses,
    handle,
  })
}

const ITEMS = { schema: z.object({ n: z.number() }), itemsMax: 3, itemBytesMax: 100 }
type DeclaredBody = Pick<Endpoint<unknown, unknown, unknown>, 'bodyKinds' | 'bodyItems' | 'bodyGzip'>

function mountPost(
  app: App,
  guards: Guards,
  path: string,
  access: Access,
  handle: Handle,
  declared: DeclaredBody = {},
): void {
  const responses = { 200: { description: 'The body.' } }
  const names = { tag: 'Test', operationId: path, summary: path }
  mount(app, guards, { method: 'post', path, ...names, access, body: z.unknown(), ...declared, responses, handle })
}

async function* numbers(onEnd: () => void): AsyncGenerator<string> {
  try {
    for (let number = 0; ; number++) {
      await new Promise((resolve) => setImmediate(resolve))
      yield `${number} ${'x'.repeat(1_000)}\n`
    }
  } finally {
    onEnd()
  }
}

/** Waits for its second event, or for its first one, until the signal comes. */
async function* waits(signal: AbortSignal, onEnd: () => void, how?: 'silent'): AsyncGenerator<string> {
  try {
    if (how !== 'silent') yield 'first\n'
    await wait(3_600_000, undefined, { signal })
    yield 'second\n'
  } finally {
    onEnd()
  }
}

async function* breaksOff(): AsyncGenerator<string> {
  yield 'first\n'
  await new Promise((resolve) => setImmediate(resolve))
  throw new Error(SECRET)
}
