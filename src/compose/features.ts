import type { Sql } from '../db/client.js'
import { createAnnounce } from '../db/messages.js'
import { type AliasesFeature, createAliases } from '../features/aliases/feature.js'
import { type BudgetsDeps, createBudgets } from '../features/budgets/feature.js'
import type { Feature } from '../features/contract.js'
import { createDrift } from '../features/drift/feature.js'
import { createGateway } from '../features/gateway/feature.js'
import { createHistory } from '../features/history/feature.js'
import { createLockfiles } from '../features/lockfiles/feature.js'
import { createProjects, type ProjectsFeature } from '../features/projects/feature.js'
import { createReceipts, type ReceiptsFeature } from '../features/receipts/feature.js'
import { createRegistry, type RegistryFeature } from '../features/registry/feature.js'
import { createRepricing } from '../features/repricing/feature.js'
import { createSync } from '../features/sync/feature.js'
import { createTransparency, type TransparencyFeature } from '../features/transparency/feature.js'
import { createUsage, type UsageDeps, type UsageFeature } from '../features/usage/feature.js'
import { createWebhooks } from '../features/webhooks/feature.js'
import { optionalProject } from '../http/optional-key.js'
import { systemClock } from '../platform/clock.js'
import { ConfigurationError } from '../platform/configuration-error.js'
import { describeError, type Logger } from '../platform/logger.js'
import { loadHook } from './gateway-hook.js'
import { loadGatewaySettings } from './gateway-settings.js'
import type { Ground } from './ground.js'
import { loadLogSettings } from './log-settings.js'
import { openTracing } from './open-tracing.js'
import type { RateLimits } from './rate-limits.js'
import { loadReceiptSettings } from './receipt-keys.js'
import { webhookSettings } from './webhook-settings.js'

export type Features = {
  /** Every feature, in the order in which they are mounted and started. */
  readonly list: readonly Feature[]
  readonly projects: ProjectsFeature
  readonly receipts: ReceiptsFeature
  readonly registry: RegistryFeature
  readonly transparency: TransparencyFeature
  /** The largest body that is passed on to an upstream, if any is. */
  readonly passedBytesMax: number | undefined
}

function priceWaiting(usage: UsageFeature, logger: Logger): void {
  usage.priceWaiting().catch((error: unknown) => {
    logger.warn({ error: describeError(error) }, 'could not price waiting usage')
  })
}

function openHistory(sql: Sql, { publish, readNote }: AliasesFeature, projects: ProjectsFeature) {
  return createHistory({
    ...{ sql, publish, readNote },
    findKeys: async (projectId) => {
      const keys = await projects.verbs.listKeys(projectId)
      return new Map(keys.map(({ id, name, prefix }) => [id, { label: name, prefix }]))
    },
  })
}

type Webhooks = { readonly enqueueEvent: BudgetsDeps['tell'] }

/** Usage, and the budgets that are read from its sums and stand beside them. */
function composeUsage(common: Omit<UsageDeps, 'showBudgets'> & Pick<BudgetsDeps, 'transact'>, webhooks: Webhooks) {
  const showBudgets: UsageDeps['showBudgets'] = (projectId) => budgets.render(projectId)
  const usage = createUsage({ ...common, showBudgets })
  const budgets = createBudgets({ ...common, spending: usage.spending, tell: webhooks.enqueueEvent })
  return { usage, budgets }
}

/** Builds every feature and gives each what it needs of the others. Nothing is started yet. */
export async function composeFeatures(ground: Ground, limits: RateLimits): Promise<Features> {
  const { resources, config, logger, metrics, redis, notifications, reach } = ground
  const common = {
    ...{ sql: resources.database.sql, orm: resources.database.orm, transact: resources.transact },
    ...{ announce: createAnnounce(config.database.schema), ageMs: notifications.ageMs, reach },
    staleSecondsMax: config.database.staleSecondsMax,
    ...{ clock: systemClock, logger, metrics },
  }

  const registry = createRegistry({ ...common, redis, config: config.registry })
  const { findPrice, registryLoaded, currentVersion: currentRegistryVersion } = registry
  const receiptSettings = await loadReceiptSettings(config, resources.database.orm, logger)
  const webhooks = createWebhooks({ ...common, config: webhookSettings(config, receiptSettings) })
  const aliases = createAliases({ ...common, registry, onPublished: webhooks.enqueue })
  const drift = createDrift({ loadBound: aliases.loadBound, registry })
  const lockfiles = createLockfiles({ ...common, ...aliases.forLockfiles })
  const { usage, budgets } = composeUsage({ ...common, config: config.usage, findPrice, registryLoaded }, webhooks)
  const logSettings = await loadLogSettings(config, resources.database.orm, logger)
  const transparency = createTransparency({ ...common, settings: logSettings })
  const { log } = transparency
  const receipts = createReceipts({
    ...{ ...common, ...receiptSettings, issuer: log.origin, log, usage: usage.logs, currentRegistryVersion },
    findProject: (header) => optionalProject(projects.authenticate, header),
  })
  registry.onLoaded(() => priceWaiting(usage, logger))
  const repricing = createRepricing({
    ...{ ...common, usage: usage.repricing, readPeriod: usage.logs.readPeriod },
    ...{ claimed: receipts.claimed, pricing: registry.pricing },
  })
  // Before what it changes: an erasure takes its jobs away first.
  const recorded = [repricing, budgets, usage, transparency, receipts]
  const features: readonly Feature[] = [registry, aliases, drift, lockfiles, webhooks, ...recorded]

  const accounting = { ...common, ...aliases, ...usage, facts: registry.facts }
  const certifying = { ...lockfiles, ...receipts, ...receipts.keyState, issue: receipts.issueObserved }
  const { gateway, passedBytesMax } = await composeGateway(ground, { ...accounting, ...certifying, redis })

  const { mode, adminKey, pepper, pepperPrevious } = config.projects
  // Last: projects export and erase what every other feature holds of them.
  const projects = createProjects({
    ...{ ...common, mode, pepper: pepper?.reveal(), pepperPrevious: pepperPrevious?.reveal() },
    ...{ adminKey: adminKey?.reveal(), newProjects: limits.newProjects },
    features: [...features, ...gateway],
  })
  const history = openHistory(common.sql, aliases, projects)
  const { findChangedKeys } = projects
  const sync = createSync({ ...common, findChangedKeys, watchersMax: config.listen.watchersMax })
  const list = [...features, projects, history, sync, ...gateway]
  return { list, projects, receipts, registry, transparency, passedBytesMax }
}

const NO_REDIS = "The gateway's cache is to be in Redis, and LLMRING_REDIS_URL is not set."

type GatewayPorts = Omit<Parameters<typeof createGateway>[0], 'config'>

/** The gateway, if it is configured, as a list of one. */
async function composeGateway(ground: Ground, ports: GatewayPorts) {
  const { config, resources } = ground
  const settings = await loadGatewaySettings(config)
  if (settings === null) return { gateway: [], passedBytesMax: undefined }
  if (settings.cache.backend === 'redis' && ports.redis === undefined) throw new ConfigurationError(NO_REDIS)
  const ownHook = settings.policy.hook
  const hook = ownHook === undefined ? undefined : await loadHook(config.router.configFile ?? '', ownHook)
  const tell = await openTracing({ ...ground, lifecycle: resources.lifecycle })
  const given = { ...ports, hook, tell, defaultModel: config.router.defaultModel }
  return { gateway: [createGateway({ ...given, config: settings })], passedBytesMax: settings.server.body_bytes_max }
}
