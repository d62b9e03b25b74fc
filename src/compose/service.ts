import type { Config } from '../config/config.js'
import { classifyFailure, isOutcomeUnknown } from '../db/failure.js'
import { createNotifications, type Notifications } from '../db/notifications.js'
import type { ProjectsFeature } from '../features/projects/feature.js'
import type { ReceiptsFeature } from '../features/receipts/feature.js'
import type { RegistryFeature } from '../features/registry/feature.js'
import type { App } from '../http/endpoint.js'
import { createGuards } from '../http/guards.js'
import type { WarmLane } from '../http/warm-lane.js'
import { abortable } from '../platform/abortable.js'
import { AppError } from '../platform/errors.js'
import type { Logger } from '../platform/logger.js'
import { createMetrics, type Metrics } from '../platform/metrics.js'
import { openRedis } from '../platform/redis.js'
import { createServiceApp } from './app.js'
import { openResources, type Resources } from './database.js'
import { composeFeatures, rateLimitUnlessZero } from './features.js'

export type Service = {
  readonly app: App
  readonly metrics: Metrics
  readonly lane: WarmLane
  readonly resources: Resources
  readonly projects: ProjectsFeature
  readonly receipts: ReceiptsFeature
  readonly registry: RegistryFeature
  readonly notifications: Notifications
  /** From here on `/readyz` says no, so that balancers send no more. */
  startDraining(): void
  close(): Promise<void>
}

const HEALTH_MS_MAX = 2_000

/**
 * Opens what the service needs, in order, and builds the app on it. What was opened is closed in reverse by `close`, or
 * here where it fails. Throws `Aborted` where the signal is given meanwhile.
 */
export async function compose(config: Config, logger: Logger, signal?: AbortSignal): Promise<Service> {
  const resources = await openResources(config, logger, 'own', signal)
  try {
    return await abortable(composeOn(resources, config, logger), signal)
  } catch (error) {
    await resources.lifecycle.close()
    throw error
  }
}

async function composeOn(resources: Resources, config: Config, logger: Logger): Promise<Service> {
  const { database, lifecycle } = resources
  const metrics = createMetrics()
  const redis = config.redis.url === undefined ? undefined : openRedis(config.redis.url.reveal(), logger)
  if (redis !== undefined) lifecycle.onClose('redis', () => redis.disconnect())
  const notifications = createNotifications({ client: resources.direct, logger })
  const age = () => notifications.ageMs() / 1000
  metrics.gauge('llmring_listener_age_seconds', 'Age of what is known of other instances.', age)
  const features = await composeFeatures({ resources, config, logger, metrics, redis, notifications })
  const { projects, registry, usage, receipts, aliases } = features
  const { perKeyPerMinute, perAddressPerMinute } = config.limits
  const guards = createGuards({
    authenticate: projects.authenticate,
    recall: projects.recall,
    settle: projects.settle,
    adminKey: config.projects.adminKey?.reveal(),
    perKey: rateLimitUnlessZero('key', perKeyPerMinute, redis, 'requests with one key'),
    perAddress: rateLimitUnlessZero('address', perAddressPerMinute, redis, 'requests from one address'),
    bodyBytesMax: config.listen.bodyBytesMax,
  })
  let draining = false
  const health = { metrics, isDraining: () => draining, databaseAnswers: () => database.answers(HEALTH_MS_MAX) }
  const mounted = [registry, aliases, usage, receipts, projects]
  const app = createServiceApp({ logger, explain, guards, health, features: mounted })

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
    lane: guards.lane,
    metrics,
    resources,
    projects,
    receipts,
    registry,
    notifications,
    startDraining,
    close: lifecycle.close,
  }
}

/** The trouble of a database as a problem. Its own words stay here. */
function explain(error: unknown): AppError | undefined {
  const kind = classifyFailure(error)
  const extras = { retryAfterSeconds: 1, cause: error }
  if (kind === 'unavailable') return new AppError('database-unavailable', unavailableDetail(error), extras)
  if (kind === 'too-slow') return new AppError('timed-out', 'The database took too long.', extras)
  return undefined
}

function unavailableDetail(error: unknown): string {
  return isOutcomeUnknown(error)
    ? 'The connection to the database was lost; if the request was a write, it may or may not have happened.'
    : 'The database does not answer right now.'
}
