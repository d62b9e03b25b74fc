import type { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { AppError } from './errors.js'

/** Counts one use for `id`. Throws `too-many-requests` with Retry-After once the minute's allowance is used up. */
export type RateLimit = (id: string) => Promise<void>

const WINDOW_SECONDS = 60

/**
 * An allowance a minute, per id. With Redis all instances count together; while Redis is away each counts alone, so a
 * limit may let through more, but never refuses without cause and never stands still.
 */
export function createRateLimit(name: string, perMinute: number, redis: Redis | undefined, what: string): RateLimit {
  const memory = new RateLimiterMemory({ keyPrefix: name, points: perMinute, duration: WINDOW_SECONDS })
  const limiter =
    redis === undefined
      ? memory
      : new RateLimiterRedis({
          storeClient: redis,
          keyPrefix: `llmring:limit:${name}`,
          points: perMinute,
          duration: WINDOW_SECONDS,
          insuranceLimiter: memory,
        })
  return async (id) => {
    try {
      await limiter.consume(id)
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal
      const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
      throw new AppError('too-many-requests', `More than ${perMinute} ${what} a minute.`, { retryAfterSeconds })
    }
  }
}
