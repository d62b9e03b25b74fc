import { once } from 'node:events'
import type { Logger } from '../../platform/logger.js'
import { openRedis } from '../../platform/redis.js'
import { type Check, describeTrouble, fail, ok } from './check.js'

/** Redis is optional: without one there is nothing to check. */
export function redisCheck(url: string | undefined, logger: Logger): Check {
  return {
    name: 'redis',
    look: async () => {
      if (url === undefined) return ok('not configured')
      const { host } = new URL(url)
      const redis = openRedis(url, logger)
      try {
        // Rejects with the first `error`, too.
        await once(redis, 'ready')
        await redis.ping()
        return ok(`${await versionOf(redis)}, ${host}`)
      } catch (error) {
        return fail(`${host}: ${describeTrouble(error)}`)
      } finally {
        redis.disconnect()
      }
    },
  }
}

/** A user without the right to INFO may use everything that the service needs. */
async function versionOf(redis: ReturnType<typeof openRedis>): Promise<string> {
  const info = await redis.info('server').catch(() => '')
  return `Redis ${/^redis_version:(\S+)/m.exec(info)?.[1] ?? 'of unknown version'}`
}
