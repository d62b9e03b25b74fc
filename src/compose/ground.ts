import type { Config } from '../config/config.js'
import { createNotifications, type Notifications } from '../db/notifications.js'
import { createReach } from '../db/reach.js'
import type { Logger } from '../platform/logger.js'
import { createMetrics, type Metrics } from '../platform/metrics.js'
import type { Reach } from '../platform/reach.js'
import { openRedis, type Redis } from '../platform/redis.js'
import { readVersion } from '../platform/version.js'
import type { Resources } from './database.js'

/** What every feature is built on. */
export type Ground = {
  readonly config: Config
  readonly logger: Logger
  readonly resources: Resources
  readonly metrics: Metrics
  readonly redis: Redis | undefined
  readonly notifications: Notifications
  readonly reach: Reach
}

/** Opens what the database leaves to be opened. The notifications are started later, when all have subscribed. */
export function openGround(resources: Resources, config: Config, logger: Logger): Ground {
  const { lifecycle } = resources
  const metrics = createMetrics()
  const redis = config.redis.url === undefined ? undefined : openRedis(config.redis.url.reveal(), logger)
  if (redis !== undefined) lifecycle.onClose('redis', () => redis.disconnect())
  const notifications = createNotifications({ client: resources.direct, logger })
  lifecycle.onClose('notifications', notifications.close)
  const { ageMs } = notifications
  const reach = createReach({ answers: resources.database.answers, ageMs, logger })
  lifecycle.onClose('reach of the database', reach.close)
  const away = () => (reach.isAway() ? 1 : 0)
  metrics.gauge('llmring_database_away', '1 while the database is away and what is known is answered.', away)
  const age = () => ageMs() / 1000
  metrics.gauge('llmring_listener_age_seconds', 'Age of what is known of other instances.', age)
  const { sql } = resources.database
  metrics.gauges('llmring_database_connections', 'Connections of the pool, by what they do.', 'state', () => {
    const { idle, busy, connecting } = sql.load()
    return { idle, busy, connecting }
  })
  const waiting = 'Queries that no connection has taken: all are in transactions or have a full pipeline.'
  metrics.gauge('llmring_database_waiting_queries', waiting, () => sql.load().waiting)
  metrics.info('llmring_build_info', 'The running program; always 1.', {
    version: readVersion(),
    node: process.version,
  })
  if (redis !== undefined) {
    const up = () => (redis.status === 'ready' ? 1 : 0)
    metrics.gauge('llmring_redis_up', '1 while Redis is connected; missing where none is configured.', up)
  }
  return { config, logger, resources, metrics, redis, notifications, reach }
}
