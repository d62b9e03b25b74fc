import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { createServiceApp } from './app.js'
import { openResources, type Resources } from './compose-database.js'
import type { Config } from './config/config.js'
import { classifyFailure } from './db/failure.js'
import { createNotifications, type Notifications } from './db/notifications.js'
import { createAliases } from './features/aliases/feature.js'
import { createProjects, type ProjectsFeature } from './features/projects/feature.js'
import { createReceipts, type ReceiptsFeature } from './features/receipts/feature.js'
import { ensureKeyFile } from './features/receipts/key-file.js'
import { createRegistry, type RegistryFeature } from './features/registry/feature.js'
import { createUsage } from './features/usage/feature.js'
import type { App } from './http/endpoint.js'
import { createGuards } from './http/guards.js'
import { systemClock } from './platform/clock.js'
import { AppError } from './platform/errors.js'
import { within } from './platform/lifecycle.js'
import { describeError, type Logger } from './platform/logger.js'
import { createMetrics, type Metrics } from './platform/metrics.js'
import { createRateLimit, type RateLimit } from './platform/rate-limit.js'
import { openRedis, type Redis } from './platform/redis.js'

export type Service = {
  readonly app: App
  readonly metrics: Metrics
  readonly resources: Resources
  readonly projects: ProjectsFeature
  readonly registry: RegistryFeature
  readonly receipts: ReceiptsFeature
  readonly redis: Redis | undefined
  readonly notifications: Notifications
  /** From here on `/readyz` says no, so that balancers send no more. */
  startDraining(): void
  close(): Promise<void>
}

const HEALTH_MS_MAX = 2_000

/** Opens what the service needs, in order, and builds the app on it. What was opened is closed in reverse by `close`. */
export async function compose(config: Config, logger: Logger): Promise<Service> {
  const resources = await openResources(config, logger, 'own')
  try {
    return await composeOn(resources, config, logger)
  } catch (error) {
    await resources.lifecycle.close()
    throw error
  }
}

async function composeOn(resources: Resources, config: Config, logger: Logger): Promise<Service> {
  const { database, lifecycle, transact } = resources
  const { sql, orm } = database
  const { schema } = config.database
  const metrics = createMetrics()
  const redis = config.redis.url === undefined ? undefined : openRedis(config.redis.url.reveal(), logger)
  if (redis !== undefined) lifecycle.onClose('redis', () => redis.disconnect())

  const notifications = createNotifications({ client: resources.direct, logger })
  metrics.gauge(
    'llmring_listener_age_seconds',
    'Age of what is known of other instances.',
    () => notifications.ageMs() / 1000,
  )

  const registry = createRegistry({ orm, redis, clock: systemClock, logger, metrics, config: config.registry })
  const usage = createUsage({
    ...{ sql, orm, clock: systemClock, logger, metrics, config: config.usage },
    ...{ findPrice: registry.findPrice, registryLoaded: registry.registryLoaded },
  })
  registry.onLoaded(
    () =>
      void usage
        .priceWaiting()
        .catch((error: unknown) => logger.warn({ error: describeError(error) }, 'could not price waiting usage')),
  )
  const receiptKeys = await loadReceiptKeys(config, logger)
  const receipts = createReceipts({
    ...{ sql, orm, transact, clock: systemClock, logger, metrics, config: receiptKeys },
    ...{
      issuer: config.receipts.issuer ?? defaultIssuer(receiptKeys),
      currentRegistryVersion: registry.currentVersion,
    },
  })
  const aliases = createAliases({ sql, orm, transact, schema, notifications })
  const limit = (name: string, perMinute: number, what: string): RateLimit | undefined =>
    perMinute === 0 ? undefined : createRateLimit(name, perMinute, redis, what)
  const projects = createProjects({
    ...{ sql, orm, transact, schema, logger, notifications, mode: config.projects.mode },
    pepper: config.projects.pepper?.reveal(),
    pepperPrevious: config.projects.pepperPrevious?.reveal(),
    newProjects: limit('new-projects', config.limits.newProjectsPerMinute, 'new projects'),
    erasers: { aliases: aliases.eraseChunk, usage: usage.eraseChunk, receipts: receipts.eraseChunk },
    exporters: {
      ...{ alias: aliases.exportAliases, alias_change: aliases.exportHistory },
      ...{ usage: usage.exportPage, receipt: receipts.exportPage },
    },
  })
  const guards = createGuards({
    authenticate: projects.authenticate,
    settle: projects.settle,
    adminKey: config.projects.adminKey?.reveal(),
    perKey: limit('key', config.limits.perKeyPerMinute, 'requests with one key'),
    perAddress: limit('address', config.limits.perAddressPerMinute, 'requests from one address'),
    bodyBytesMax: config.listen.bodyBytesMax,
  })

  let draining = false
  const health = {
    metrics,
    isDraining: () => draining,
    databaseAnswers: () =>
      within(HEALTH_MS_MAX, Promise.resolve(sql`select 1`)).then(
        () => true,
        () => false,
      ),
  }
  const app = createServiceApp({
    logger,
    explain,
    guards,
    health,
    features: [registry, aliases, usage, receipts, projects],
  })

  lifecycle.onClose('notifications', notifications.close)
  await notifications.start()
  for (const [name, feature] of Object.entries({ projects, registry, usage, receipts })) {
    lifecycle.onClose(name, () => feature.close())
    await feature.start()
  }
  const startDraining = () => {
    draining = true
  }
  return {
    app,
    metrics,
    resources,
    projects,
    registry,
    receipts,
    redis,
    notifications,
    startDraining,
    close: lifecycle.close,
  }
}

/** The trouble of a database as a problem. Its own words stay here. */
function explain(error: unknown): AppError | undefined {
  const kind = classifyFailure(error)
  const extras = { retryAfterSeconds: 1, cause: error }
  if (kind === 'unavailable')
    return new AppError('database-unavailable', 'The database does not answer right now.', extras)
  if (kind === 'too-slow') return new AppError('timed-out', 'The database took too long.', extras)
  return undefined
}

type ReceiptKeys = {
  readonly privateKey: string | undefined
  readonly publicKey: string | undefined
  readonly keyId: string | undefined
}

/** The configured keys; in embedded mode, where none is configured, one that is generated once into the data directory. */
async function loadReceiptKeys(config: Config, logger: Logger): Promise<ReceiptKeys> {
  const { privateKey, publicKey, keyId } = config.receipts
  if (privateKey !== undefined || publicKey !== undefined || !config.embedded) {
    return { privateKey: privateKey?.reveal(), publicKey, keyId }
  }
  const path = join(config.dataDir, 'receipts-key')
  const key = await ensureKeyFile(path)
  logger.info({ path }, 'receipts are signed with the key generated into the data directory')
  return { privateKey: key, publicKey: undefined, keyId }
}

/** Names this installation where nobody named it. */
function defaultIssuer(keys: ReceiptKeys): string {
  const seed = keys.publicKey ?? keys.privateKey ?? ''
  return `llmring.local/${createHash('sha256').update(`issuer ${seed}`).digest('hex').slice(0, 8)}`
}
