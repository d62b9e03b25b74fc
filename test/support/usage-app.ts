import { randomUUID } from 'node:crypto'
import type { ProjectId, Role } from '../../src/access/principal.js'
import { findModel } from '../../src/core/pricing/index.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createUsage, type UsageDeps, type UsageFeature } from '../../src/features/usage/feature.js'
import type { FindPrice } from '../../src/features/usage/price-event.js'
import { createApp } from '../../src/http/create-app.js'
import type { App, Guards } from '../../src/http/endpoint.js'
import { createBodyLimits } from '../../src/http/read-bytes.js'
import { AppError } from '../../src/platform/errors.js'
import { createLogger } from '../../src/platform/logger.js'
import { createMetrics, type Metrics } from '../../src/platform/metrics.js'
import { fixtureIndex } from '../unit/pricing-fixtures.js'

/** Whatever JSON gives: what a test asserts is its shape. */
type Json = ReturnType<typeof JSON.parse>
type UsageAnswer = { readonly status: number; readonly headers: Headers; readonly json: Json }
type UsageCall = {
  readonly project?: ProjectId
  readonly role?: Role
  readonly json?: unknown
  readonly body?: string
}

export type UsageApp = {
  readonly app: App
  readonly usage: UsageFeature
  readonly database: Database
  readonly metrics: Metrics
  readonly project: ProjectId
  /** What the service takes for the time, in milliseconds since the epoch. */
  now: number
  call(path: string, init?: UsageCall): Promise<UsageAnswer>
  /** Records an event of gpt-4o-mini with these changes; throws where it is refused. */
  log(changes?: Record<string, unknown>, project?: ProjectId): Promise<Json>
  close(): Promise<void>
}

export const NOON = Date.parse('2026-03-15T12:00:00.000Z')
export const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 340 }
export const newProject = (): ProjectId => randomUUID() as ProjectId

const indexes = { openai: fixtureIndex('openai'), anthropic: fixtureIndex('anthropic'), google: fixtureIndex('google') }
const VERSIONS: Record<string, string> = { openai: 'openai@2', anthropic: 'anthropic@3', google: 'google@2' }

/** The prices of the fixture registry. */
export const fixturePrices: FindPrice = (provider, model) => {
  const name = provider.toLowerCase()
  const index = Object.entries(indexes).find(([known]) => known === name)?.[1]
  if (index === undefined) return { status: 'unknown_model', registryVersion: null }
  const registryVersion = VERSIONS[name] ?? ''
  const found = findModel(index, name, model)
  return found === undefined
    ? { status: 'unknown_model', registryVersion }
    : { status: 'found', prices: found.prices, registryVersion }
}

export type UsageAppOptions = Partial<Omit<UsageDeps, 'sql' | 'orm' | 'clock'>> & {
  readonly url: string
  readonly schema?: string
  readonly connectionsMax?: number
  readonly start?: boolean
}

/** The usage feature on a database, with its routes. Authentication is another feature's: a key is a project's id. */
export async function openUsage(options: UsageAppOptions): Promise<UsageApp> {
  const { url, schema = 'llmring', connectionsMax = 6, start = true, ...deps } = options
  const database = await openDatabase({ url, schema, connectionsMax, prepare: true, pooled: false })
  const metrics = createMetrics()
  const state = { now: NOON }
  const usage = createUsage({
    ...{ sql: database.sql, orm: database.orm, clock: () => state.now, logger: createLogger('silent'), metrics },
    ...{ config: { groupItemsMax: 500, lanes: 2 }, findPrice: fixturePrices, registryLoaded: async () => true },
    ...deps,
  })
  if (start) await usage.start()
  const app = createApp({ logger: createLogger('silent'), explain: () => undefined })
  usage.mount(app, testGuards)
  const project = newProject()

  const call = async (path: string, init: UsageCall = {}): Promise<UsageAnswer> => {
    const body = init.json === undefined ? init.body : JSON.stringify(init.json)
    const response = await app.request(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'X-Project-Key': init.project ?? project,
        'X-Test-Role': init.role ?? 'write',
        'Content-Type': 'application/json',
      },
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.status, headers: response.headers, json: await response.json() }
  }
  const log = async (changes: Record<string, unknown> = {}, owner: ProjectId = project) => {
    const { status, json } = await call('/api/v1/log', { project: owner, json: { ...EVENT, ...changes } })
    if (status !== 200) throw new Error(JSON.stringify(json))
    return json
  }
  return Object.assign(state, {
    ...{ app, usage, database, metrics, project, call, log },
    close: async () => {
      await usage.close()
      await database.close()
    },
  })
}

const KEY_ID = '019a0000-0000-7000-8000-000000000001'

const testGuards: Guards = {
  body: createBodyLimits(1_048_576),
  lane: { add: () => undefined },
  direct: { add: () => undefined },
  provision: (principal) => principal,
  admit: (header, access) => {
    const role = (header('x-test-role') ?? 'read') as Role
    const refused = access.kind === 'project' && !access.roles.includes(role)
    if (refused) throw new AppError('role-not-allowed', `A '${role}' key may not do this.`)
    return { projectId: header('x-project-key') as ProjectId, role, keyId: KEY_ID, newKey: null }
  },
}
