import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { NO_PROJECT, type ProjectId, type Role } from '../../src/access/principal.js'
import { findModel } from '../../src/core/pricing/index.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { classifyFailure } from '../../src/db/failure.js'
import { createAnnounce } from '../../src/db/messages.js'
import { createTransact } from '../../src/db/transact.js'
import type { Feature } from '../../src/features/contract.js'
import { createReceipts, type ReceiptsDeps } from '../../src/features/receipts/feature.js'
import type { KeySettings } from '../../src/features/receipts/keys/signing-keys.js'
import { createRegistry } from '../../src/features/registry/feature.js'
import { RegistrySchema } from '../../src/features/registry/schema.js'
import { createTransparency } from '../../src/features/transparency/feature.js'
import { createUsage, type UsageDeps } from '../../src/features/usage/feature.js'
import type { FindPrice } from '../../src/features/usage/price/price-event.js'
import { createBodyLimits } from '../../src/http/body/read-bytes.js'
import { createApp } from '../../src/http/create-app.js'
import type { App, Guards } from '../../src/http/endpoint.js'
import { createServiceReadTurns } from '../../src/http/read-turns.js'
import { AppError } from '../../src/platform/errors.js'
import { createLogger, type Logger } from '../../src/platform/logger.js'
import { createMetrics, type Metrics } from '../../src/platform/metrics.js'
import type { Redis } from '../../src/platform/redis.js'
import { fixtureIndex } from '../unit/pricing-fixtures.js'
import { type Answer, type CallInit, exchange } from './call.js'

export type FeatureCall = Omit<CallInit, 'key'> & {
  /** Whose key it is; null sends none. */
  readonly project?: ProjectId | null
  readonly role?: Role
}

/** What every feature is built on here: see `common` in `compose/features.ts`. */
type Common = Database & Pick<ReceiptsDeps, 'transact' | 'clock' | 'logger' | 'metrics'>

type FeatureApp<F> = {
  readonly feature: F
  readonly app: App
  readonly database: Database
  readonly metrics: Metrics
  /** What the feature takes for the time, in milliseconds since the epoch. It stands still unless a test moves it. */
  now: number
  call(path: string, init?: FeatureCall): Promise<Answer>
  close(): Promise<void>
}

type FeatureOptions = {
  readonly url: string
  readonly now: number
  readonly logger?: Logger
  /** False: it is not started. */
  readonly started?: boolean
}

export const newProject = (): ProjectId => randomUUID() as ProjectId

/**
 * One feature on a real database, with its routes, where the composed service cannot serve a test: its clock, the
 * prices that it finds and its patience with a lost statement are ports of the feature that no setting reaches.
 * Authentication is another feature's: a key is a project's id, with the role that the request names.
 */
async function openFeature<F extends Feature>(
  { url, now, logger = createLogger('silent'), started = true }: FeatureOptions,
  create: (common: Common) => F,
): Promise<FeatureApp<F>> {
  const database = await openDatabase({ url, schema: 'llmring', connectionsMax: 6, prepare: true, pooled: false })
  const metrics = createMetrics()
  const state = { now }
  const common = { ...database, transact: createTransact(database.sql), clock: () => state.now, logger, metrics }
  const feature = create(common)
  const close = async () => {
    await feature.close?.()
    await database.close()
  }
  try {
    if (started) await feature.start?.()
  } catch (error) {
    await close()
    throw error
  }
  const app = createApp({ logger, explain })
  feature.mount(app, testGuards)
  const call = (path: string, { project = null, role = 'write', headers, ...init }: FeatureCall = {}) => {
    const sent = { 'Content-Type': 'application/json', 'X-Test-Role': role, ...headers }
    return exchange((request) => app.request(path, request), { ...init, key: project, headers: sent })
  }
  return Object.assign(state, { feature, app, database, metrics, call, close })
}

const KEY_ID = '019a0000-0000-7000-8000-000000000001'

const testGuards: Guards = {
  body: createBodyLimits(1_048_576),
  reads: createServiceReadTurns(),
  lane: { add: () => undefined },
  direct: { add: () => undefined },
  provision: (principal) => principal,
  admit: (header, access) => {
    const role = (header('x-test-role') ?? 'read') as Role
    const projectId = (header('x-project-key') ?? NO_PROJECT) as ProjectId
    const principal = { projectId, role, keyId: KEY_ID, newKey: null }
    if (access.kind !== 'project') return principal
    if (projectId === NO_PROJECT) throw new AppError('key-required', 'Send the project key.')
    if (!access.roles.includes(role)) throw new AppError('role-not-allowed', `A '${role}' key may not do this.`)
    return principal
  },
}

function explain(error: unknown): AppError | undefined {
  if (classifyFailure(error) !== 'unavailable') return undefined
  return new AppError('database-unavailable', 'The database does not answer right now.', { cause: error })
}

export const NOON = Date.parse('2026-03-15T12:00:00.000Z')
export const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 340 }

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

export type UsageApp = Awaited<ReturnType<typeof openUsage>>
export type UsageAppOptions = Partial<Pick<UsageDeps, 'findPrice' | 'registryLoaded' | 'patience'>> & {
  readonly url: string
}

/** The usage feature at noon. What a call does not say of its project is the app's own. */
export async function openUsage({ url, ...ports }: UsageAppOptions) {
  const opened = await openFeature({ url, now: NOON }, (common) =>
    createUsage({
      ...{ ...common, config: { groupItemsMax: 500, lanes: 2, idempotencyDays: 32, retentionMonths: 0 } },
      ...{ findPrice: fixturePrices, registryLoaded: async () => true, showBudgets: async () => [] },
      ...ports,
    }),
  )
  const project = newProject()
  const { call: ask } = opened
  const call = (path: string, init: FeatureCall = {}) => ask(path, { project, ...init })
  /** Records an event of gpt-4o-mini with these changes; throws where it is refused. */
  const log = async (changes: Record<string, unknown> = {}, owner: ProjectId = project) => {
    const { status, json, text } = await call('/api/v1/log', { project: owner, json: { ...EVENT, ...changes } })
    if (status !== 200) throw new Error(text)
    return json
  }
  // The same object, whose `now` the feature reads.
  return Object.assign(opened, { usage: opened.feature, project, call, log })
}

export const ISSUER = 'receipts.example/log1'
export const START = Date.parse('2026-03-01T12:00:00.000Z')

/** The configuration of a key whose seed is one byte, repeated. */
export function keyOfByte(byte: number, keyId?: string, previousByte?: number): KeySettings {
  const textOf = (seed: number) => Buffer.alloc(32, seed).toString('base64url')
  const previousKey = previousByte === undefined ? undefined : textOf(previousByte)
  return { privateKey: textOf(byte), publicKey: undefined, keyId, previousKey }
}

export const NO_KEY: KeySettings = { privateKey: undefined, publicKey: undefined, keyId: undefined }

/** No calls were logged: what batch receipts certify is tested with the whole service. */
const NO_USAGE: ReceiptsDeps['usage'] = {
  lateMsMax: 0,
  leadMsMax: 0,
  page: async () => [],
  find: async () => [],
  isStill: async () => true,
  readPeriod: () => ({ ok: true, period: { fromMs: 0, untilMs: 0 } }),
}

export type ReceiptsInstance = Awaited<ReturnType<typeof startReceipts>>

/** One instance of the receipts feature. */
export async function startReceipts(
  url: string,
  config: KeySettings,
  issuer: string = ISSUER,
  patience?: ReceiptsDeps['patience'],
  /** Default: what is appended stays pending. */
  log?: ReceiptsDeps['log'],
) {
  const opened = await openFeature({ url, now: START }, (common) =>
    createReceipts({
      ...{
        ...common,
        config,
        issuer,
        log: log ?? createTransparency({ ...common, announce: createAnnounce('llmring'), settings: null }).log,
      },
      usage: NO_USAGE,
      findProject: async () => null,
      ...(patience === undefined ? {} : { patience }),
      currentRegistryVersion: (provider) => {
        if (provider === 'openai') return 'openai@7'
        return provider === 'google' ? null : 'anthropic@9+openai@7'
      },
    }),
  )
  const post = (path: string, init: FeatureCall) => opened.call(`/api/v1/receipts/${path}`, init)
  return Object.assign(opened, {
    receipts: opened.feature,
    advance: (milliseconds: number) => {
      opened.now += milliseconds
    },
    issue: (json: unknown, project: ProjectId) => post('issue', { json, project }),
    store: (receipt: unknown, project: ProjectId) => post('', { json: { receipt }, project }),
    verify: (receipt: unknown) => post('verify', { json: receipt }),
  })
}

export const TTL_SECONDS = 600
export const START_OF_TIME = Date.parse('2026-09-01T00:00:00Z')

export type RegistryInstance = Awaited<ReturnType<typeof startRegistryInstance>>
export type RegistryInstanceOptions = {
  readonly databaseUrl: string
  readonly originUrl: string
  readonly redis?: Redis
  readonly fetchMsMax?: number
  /** Default: false, so that what is served is the origin's. */
  readonly bundled?: boolean
  /** What would be logged; default: nothing. */
  readonly logger?: Logger
  /** Seconds after START_OF_TIME at which this instance begins. */
  readonly atSeconds?: number
  /** False: nothing is restored or fetched until it is asked for. */
  readonly started?: boolean
}

/** One instance of the registry feature. */
export async function startRegistryInstance(options: RegistryInstanceOptions) {
  const { databaseUrl: url, originUrl, redis, fetchMsMax = 5_000, bundled = false, atSeconds = 0, ...rest } = options
  const config = { baseUrl: originUrl, fetchMsMax, cacheSeconds: TTL_SECONDS, bundled }
  const opened = await openFeature({ url, now: START_OF_TIME + atSeconds * 1000, ...rest }, (common) =>
    createRegistry({ ...common, redis, config }),
  )
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    opened.call(path, { method, headers })
  return Object.assign(opened, {
    get,
    /** A merged registry, read by its declared schema. Throws where the answer is not 200. */
    registry: async (path = '/registry'): Promise<z.infer<typeof RegistrySchema>> => {
      const { status, text, json } = await get(path)
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`)
      return RegistrySchema.parse(json)
    },
    /** Lets this instance's time pass. */
    advance: (seconds: number) => {
      opened.now += seconds * 1000
    },
  })
}
