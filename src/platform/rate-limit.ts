import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { type Clock, systemClock } from './clock.js'
import { AppError } from './errors.js'
import { RATE_LIMITS } from './limits.js'

/** Counts one use for `id`. Throws `too-many-requests` with Retry-After once the minute's allowance is used up. */
export type RateLimit = (id: string) => Promise<void>

/** The milliseconds until a use is allowed again, or 0 if this one is. */
type Consume = (id: string) => number | Promise<number>

/**
 * An allowance a minute, per id. With Redis all instances count together; while Redis is away each counts alone, so a
 * limit may let through more, but never refuses without cause and never stands still.
 */
export function createRateLimit(
  name: string,
  perMinute: number,
  redis: Redis | undefined,
  what: string,
  clock: Clock = systemClock,
): RateLimit {
  const alone = countAlone(perMinute, clock)
  const consume = redis === undefined ? alone : countTogether(name, perMinute, redis, alone)
  return async (id) => {
    const waitMs = await consume(id)
    if (waitMs === 0) return
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
    throw new AppError('too-many-requests', `More than ${perMinute} ${what} a minute.`, { retryAfterSeconds })
  }
}

function countAlone(perMinute: number, clock: Clock): Consume {
  const windows = new LRUCache<string, { uses: number; endsAt: number }>({ max: RATE_LIMITS.idsMax })
  return (id) => {
    const now = clock()
    const window = windows.get(id)
    if (window === undefined || window.endsAt <= now) {
      windows.set(id, { uses: 1, endsAt: now + RATE_LIMITS.windowSeconds * 1000 })
      return 0
    }
    window.uses += 1
    return window.uses <= perMinute ? 0 : window.endsAt - now
  }
}

function countTogether(name: string, perMinute: number, redis: Redis, alone: Consume): Consume {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `llmring:limit:${name}`,
    points: perMinute,
    duration: RATE_LIMITS.windowSeconds,
  })
  return async (id) => {
    try {
      await limiter.consume(id)
      return 0
    } catch (refusal) {
      // Whatever else goes wrong is Redis being away.
      return refusal instanceof RateLimiterRes ? Math.max(1, refusal.msBeforeNext) : alone(id)
    }
  }
}
