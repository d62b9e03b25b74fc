import { Redis } from 'ioredis'
import { REDIS_LIMITS } from './limits.js'
import { describeError, type Logger } from './logger.js'

export type { Redis } from 'ioredis'

/**
 * A Redis client for what may be lost: caches and counters. It never queues while the connection is away: commands fail
 * at once and their caller goes on without Redis. So do they once a Redis that accepted them says nothing for a second:
 * without that each request would wait for it, and its commands would fill the memory. It connects, and reconnects, in
 * the background.
 */
export function openRedis(url: string, logger: Logger): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: REDIS_LIMITS.commandMsMax,
    connectTimeout: REDIS_LIMITS.connectMsMax,
    socketTimeout: REDIS_LIMITS.silentMsMax,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), REDIS_LIMITS.reconnectMsMax),
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
