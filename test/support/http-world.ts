import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { z } from '@hono/zod-openapi'
import { NO_PROJECT, PUBLIC } from '../../src/access/principal.js'
import { createApp } from '../../src/http/create-app.js'
import { type App, type Endpoint, type Guards, mount } from '../../src/http/endpoint.js'
import { createListener } from '../../src/http/listener.js'
import { type HttpServer, listen } from '../../src/http/server.js'
import { streamAnswer } from '../../src/http/stream.js'
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
  /** How many readers of `/numbers` were noticed to be gone. */
  readonly ended: () => number
  get(path: string, headers?: Record<string, string>): Promise<Response>
  open(text: string): Promise<Socket>
  /** What comes back until the service closes the connection. */
  exchange(text: string): Promise<string>
}

/** What must stay inside. */
export const SECRET = 'select secret_column from tenants'

const guards: Guards = {
  body: { bytesMax: 1_000, budget: { bytes: 0 } },
  admit: () => ({ projectId: NO_PROJECT, role: 'read', keyId: null, newKey: null }),
  lane: { add: () => undefined },
  settle: (principal) => principal,
}

/** The listener and the server with a small app behind them, whose routes misbehave by name. */
export async function startHttpWorld(): Promise<HttpWorld> {
  const lines: Line[] = []
  const held: (() => void)[] = []
  let ended = 0
  const metrics = createMetrics()
  const logger = recordTo(lines)
  const app = createTestApp(logger, held, () => {
    ended += 1
  })
  const fetch = (...args: Parameters<App['fetch']>) => app.fetch(...args)
  const manners = { corsOrigins: [], trustedProxies: 1, accessShare: 0, slowMs: 60_000 }
  const server = await listen(createListener({ fetch, logger, metrics, ...manners }), '127.0.0.1', 0)
  const open = async (text: string): Promise<Socket> => {
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(text)
    return socket
  }
  return {
    ...{ server, metrics, lines, held, ended: () => ended, open },
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

function createTestApp(logger: Logger, held: (() => void)[], onEnd: () => void): App {
  const explain = (error: unknown) =>
    error instanceof TypeError
      ? new AppError('database-unavailable', 'It is away.', { retryAfterSeconds: 1 })
      : undefined
  const app = createApp({ logger, explain })
  route(app, '/numbers', () => streamAnswer(numbers(onEnd), { 'Content-Type': 'text/plain' }))
  route(app, '/breaks-off', () => streamAnswer(breaksOff(), { 'Content-Type': 'text/plain' }))
  route(app, '/unexpected', () => Promise.reject(new Error(SECRET)))
  route(app, '/at-once', () => {
    throw new Error(SECRET)
  })
  route(app, '/explained', () => Promise.reject(new TypeError(SECRET)))
  route(app, '/held', () => new Promise((resolve) => held.push(() => resolve(new Response('held')))))
  route(app, '/ok', () => new Response('ok'))
  mount(app, guards, {
    ...{ method: 'post', path: '/echo', tag: 'Test', summary: 'Echo', access: PUBLIC },
    body: z.unknown(),
    answers: { 200: { description: 'The body.' } },
    handle: ({ text }) => new Response(text),
  })
  return app
}

function route(app: App, path: string, handle: Endpoint<unknown, unknown, unknown>['handle']): void {
  const answers = { 200: { description: 'The answer.' } }
  mount(app, guards, { method: 'get', path, tag: 'Test', summary: path, access: PUBLIC, answers, handle })
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

async function* breaksOff(): AsyncGenerator<string> {
  yield 'first\n'
  await new Promise((resolve) => setImmediate(resolve))
  throw new Error(SECRET)
}
