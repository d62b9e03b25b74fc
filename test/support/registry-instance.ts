import { fileURLToPath } from 'node:url'
import type { z } from 'zod'
import type { Principal } from '../../src/access/principal.js'
import { openDatabase } from '../../src/db/client.js'
import { createRegistry, type RegistryFeature } from '../../src/features/registry/feature.js'
import { RegistrySchema } from '../../src/features/registry/schema.js'
import { createApp } from '../../src/http/create-app.js'
import type { App, Guards } from '../../src/http/endpoint.js'
import { createBodyLimits } from '../../src/http/read-bytes.js'
import { createLogger, type Logger } from '../../src/platform/logger.js'
import { createMetrics, type Metrics } from '../../src/platform/metrics.js'
import type { Redis } from '../../src/platform/redis.js'

/** The registry that the project's tests serve. */
export const REGISTRY_FIXTURES = fileURLToPath(new URL('../fixtures/registry/', import.meta.url))

export const TTL_SECONDS = 600
export const START_OF_TIME = Date.parse('2026-09-01T00:00:00Z')

export type RegistryInstance = {
  readonly feature: RegistryFeature
  readonly app: App
  readonly metrics: Metrics
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Got>
  /** A merged registry, read by its declared schema. Throws where the answer is not 200. */
  registry(path?: string): Promise<z.infer<typeof RegistrySchema>>
  /** Lets this instance's time pass. */
  advance(seconds: number): void
  close(): Promise<void>
}

type Got = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}

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
  /** False: nothing is restored or fetched until somebody asks. */
  readonly started?: boolean
}

/** The registry feature on a real database, with a clock that the test moves. */
export async function startRegistryInstance(options: RegistryInstanceOptions): Promise<RegistryInstance> {
  const database = await openDatabase({
    ...{ url: options.databaseUrl, schema: 'llmring', connectionsMax: 4, prepare: true, pooled: false },
  })
  let now = START_OF_TIME + (options.atSeconds ?? 0) * 1000
  const logger = options.logger ?? createLogger('silent')
  const metrics = createMetrics()
  const feature = createRegistry({
    orm: database.orm,
    redis: options.redis,
    clock: () => now,
    logger,
    metrics,
    config: {
      baseUrl: options.originUrl,
      fetchMsMax: options.fetchMsMax ?? 5_000,
      cacheSeconds: TTL_SECONDS,
      bundled: options.bundled ?? false,
    },
  })
  const app = createApp({ logger, explain: () => undefined })
  feature.mount(app, everybody)
  if (options.started !== false) await feature.start()
  const get = async (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> => {
    const response = await app.request(path, { method, headers })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  return {
    ...{ feature, app, metrics, get },
    registry: async (path = '/registry') => {
      const { status, text, json } = await get(path)
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`)
      return RegistrySchema.parse(json)
    },
    advance: (seconds) => {
      now += seconds * 1000
    },
    close: async () => {
      await feature.close()
      await database.close()
    },
  }
}

/** Guards for public routes: nobody has to be known. */
const everybody: Guards = {
  admit: () => ({ projectId: '', role: 'read', keyId: null }) as unknown as Principal,
  lane: { add: () => undefined },
  direct: { add: () => undefined },
  provision: (principal) => principal,
  body: createBodyLimits(1_000),
}
