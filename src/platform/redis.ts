import { Redis } from 'ioredis'
import { describeError, type Logger } from './logger.js'

export type { Redis } from 'ioredis'

const COMMAND_MS_MAX = 500
const CONNECT_MS_MAX = 2_000
const RECONNECT_MS_MAX = 2_000

/**
 * A Redis client for what may be lost: caches and counters. It never queues while the connection is away: commands fail
 * at once and their caller goes on without Redis. It connects, and reconnects, in the background.
 */
export function openRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS_MAX,
    connectTimeout: CONNECT_MS_MAX,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), RECONNECT_MS_MAX),
  })
  let wasUp: boolean | undefined
  redis.on('ready', () => {
    if (wasUp !== true) logger.info('redis is connected')
    wasUp = true
  })
  redis.on('error', (error: Error) => {
    if (wasUp !== false) logger.warn({ error: describeError(error) }, 'redis is not reachable; going on without it')
    wasUp = false
  })
  redis.connect().catch(() => undefined)
  return redis
}
