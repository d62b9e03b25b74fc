import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config/config.js'
import type { Notifications } from '../db/notifications.js'
import { type AliasesFeature, createAliases } from '../features/aliases/feature.js'
import { createProjects, type ProjectsFeature } from '../features/projects/feature.js'
import { createReceipts, type ReceiptsFeature } from '../features/receipts/feature.js'
import { ensureKeyFile } from '../features/receipts/key-file.js'
import { createRegistry, type RegistryFeature } from '../features/registry/feature.js'
import { createUsage, type UsageFeature } from '../features/usage/feature.js'
import { systemClock } from '../platform/clock.js'
import { describeError, type Logger } from '../platform/logger.js'
import type { Metrics } from '../platform/metrics.js'
import { createRateLimit, type RateLimit } from '../platform/rate-limit.js'
import type { Redis } from '../platform/redis.js'
import type { Resources } from './database.js'

export type Features = {
  readonly registry: RegistryFeature
  readonly usage: UsageFeature
  readonly receipts: ReceiptsFeature
  readonly aliases: AliasesFeature
  readonly projects: ProjectsFeature
}

export type FeatureGround = {
  readonly resources: Resources
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  readonly redis: Redis | undefined
  readonly notifications: Notifications
}

/** Builds every feature and gives each what it needs of the others. Nothing is started yet. */
export async function composeFeatures(ground: FeatureGround): Promise<Features> {
  const { resources, config, logger, metrics, redis, notifications } = ground
  const { sql, orm } = resources.database
  const common = { sql, orm, transact: resources.transact, clock: systemClock, logger, metrics }

  const registry = createRegistry({ ...common, redis, config: config.registry })
  const { findPrice, registryLoaded } = registry
  const usage = createUsage({ ...common, config: config.usage, findPrice, registryLoaded })
  registry.onLoaded(() => {
    usage.priceWaiting().catch((error: unknown) => {
      logger.warn({ error: describeError(error) }, 'could not price waiting usage')
    })
  })
  const receiptKeys = await loadReceiptKeys(config, logger)
  const issuer = config.receipts.issuer ?? defaultIssuer(receiptKeys)
  const currentRegistryVersion = registry.currentVersion
  const receipts = createReceipts({ ...common, config: receiptKeys, issuer, currentRegistryVersion })
  const aliases = createAliases({ ...common, schema: config.database.schema, notifications })
  const projects = composeProjects(ground, { registry, usage, receipts, aliases })
  return { registry, usage, receipts, aliases, projects }
}

/** Projects know how to export and erase what every other feature holds of them. */
function composeProjects(ground: FeatureGround, features: Omit<Features, 'projects'>): ProjectsFeature {
  const { resources, config, logger, redis, notifications } = ground
  const { aliases, usage, receipts } = features
  const { mode, pepper, pepperPrevious } = config.projects
  return createProjects({
    sql: resources.database.sql,
    orm: resources.database.orm,
    transact: resources.transact,
    schema: config.database.schema,
    logger,
    notifications,
    mode,
    pepper: pepper?.reveal(),
    pepperPrevious: pepperPrevious?.reveal(),
    newProjects: rateLimitUnlessZero('new-projects', config.limits.newProjectsPerMinute, redis, 'new projects'),
    erasers: { aliases: aliases.eraseChunk, usage: usage.eraseChunk, receipts: receipts.eraseChunk },
    exporters: {
      alias: aliases.exportAliases,
      alias_change: aliases.exportHistory,
      usage: usage.exportPage,
      receipt: receipts.exportPage,
    },
  })
}

/** A rate limit, or none where the setting is 0. */
export function rateLimitUnlessZero(
  name: string,
  perMinute: number,
  redis: Redis | undefined,
  what: string,
): RateLimit | undefined {
  return perMinute === 0 ? undefined : createRateLimit(name, perMinute, redis, what)
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
