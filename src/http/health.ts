import { z } from '@hono/zod-openapi'
import { PROBE, PUBLIC } from '../access/principal.js'
import type { Metrics } from '../platform/metrics.js'
import { type App, type Guards, mount } from './endpoint.js'
import { HTTP_LIMITS } from './limits.js'
import { JSON_HEADERS, jsonResponse, plainBytes } from './response.js'

export type HealthDeps = {
  readonly metrics: Metrics
  /** Asks the database, bounded in time. */
  readonly databaseAnswers: () => Promise<boolean>
  readonly isDraining: () => boolean
  /** What each part of the service that has a say in it says, by its name. Waits for nothing. */
  readonly featuresReady: () => Readonly<Record<string, boolean>>
  /** What an operator should know beside it. */
  readonly remarks: () => readonly string[]
}

const Health = z
  .object({ status: z.enum(['healthy', 'unhealthy']), database: z.enum(['connected', 'disconnected']) })
  .openapi('Health')
const Liveness = z.object({ status: z.literal('alive') }).openapi('Liveness')
const Readiness = z
  .object({
    status: z.enum(['ready', 'not-ready']),
    checks: z.object({ database: z.boolean(), accepting: z.boolean() }).catchall(z.boolean()),
    remarks: z.array(z.string()).optional().openapi({ description: 'What the operator should know.' }),
  })
  .openapi('Readiness')

const ReadinessQuery = z.object({
  exclude: z.enum(['database']).optional().openapi({
    description:
      'A check that does not decide. All instances share their database: a balancer that takes all of them out of rotation while it is away keeps clients from what is answered from memory.',
  }),
})

const ALIVE = JSON.stringify({ status: 'alive' })

export function mountHealth(app: App, guards: Guards, deps: HealthDeps): void {
  mountWholeHealth(app, guards, deps)
  mountLiveness(app, guards)
  mountReadiness(app, guards, deps)
  mountMetrics(app, guards, deps)
}

function mountWholeHealth(app: App, guards: Guards, { databaseAnswers }: HealthDeps): void {
  mount(app, guards, {
    method: 'get',
    path: '/health',
    tag: 'Meta',
    operationId: 'getHealth',
    summary: 'Whether the service and its database work',
    access: PROBE,
    responses: { 200: { description: 'Healthy.', schema: Health }, 503: { description: 'Unhealthy.', schema: Health } },
    handle: async () => {
      const connected = await databaseAnswers()
      const said = { status: connected ? 'healthy' : 'unhealthy', database: connected ? 'connected' : 'disconnected' }
      return answerProbe(said, connected)
    },
  })
}

function answerProbe(said: object, isGood: boolean): Response {
  return isGood ? jsonResponse(said) : jsonResponse(said, 503, { 'Retry-After': String(HTTP_LIMITS.probeRetrySeconds) })
}

function mountLiveness(app: App, guards: Guards): void {
  mount(app, guards, {
    method: 'get',
    path: '/livez',
    tag: 'Meta',
    operationId: 'getLiveness',
    summary: 'Whether the process runs (restart it if not)',
    access: PROBE,
    responses: { 200: { description: 'Alive.', schema: Liveness } },
    warm: () => ({ status: 200, headers: JSON_HEADERS, body: ALIVE }),
    handle: () => plainBytes(ALIVE),
  })
}

function mountReadiness(app: App, guards: Guards, deps: HealthDeps): void {
  mount(app, guards, {
    method: 'get',
    path: '/readyz',
    tag: 'Meta',
    operationId: 'getReadiness',
    summary: 'Whether requests should be sent here (take it out of rotation if not)',
    access: PROBE,
    query: ReadinessQuery,
    responses: {
      200: { description: 'Ready.', schema: Readiness },
      503: { description: 'Not ready.', schema: Readiness },
    },
    handle: async ({ query: { exclude } }) => {
      const database = await deps.databaseAnswers()
      const checks = { database, accepting: !deps.isDraining(), ...deps.featuresReady() }
      const ready = Object.entries(checks).every(([name, holds]) => holds || name === exclude)
      const remarks = deps.remarks()
      const said = { status: ready ? 'ready' : 'not-ready', checks }
      return answerProbe(remarks.length === 0 ? said : { ...said, remarks }, ready)
    },
  })
}

function mountMetrics(app: App, guards: Guards, { metrics }: HealthDeps): void {
  mount(app, guards, {
    method: 'get',
    path: '/metrics',
    tag: 'Meta',
    operationId: 'getMetrics',
    summary: 'Metrics in the Prometheus text format',
    access: PUBLIC,
    turns: 'read',
    responses: { 200: { description: 'The metrics.', schema: z.string(), contentType: 'text/plain' } },
    handle: async () => {
      const { contentType, text } = await metrics.expose()
      return new Response(text, { headers: { 'Content-Type': contentType } })
    },
  })
}
