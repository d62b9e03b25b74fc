import { systemClock } from '../../../platform/clock.js'
import { invariant } from '../../../platform/invariant.js'
import type { Redis } from '../../../platform/redis.js'
import type { SavedDeps } from '../account/saved-row.js'
import type { GatewayConfig } from '../config/read-config.js'
import { createAnswerCache } from './answer-cache.js'
import { createFlights } from './flights.js'
import { type AnswerStore, createMemoryAnswers } from './memory-answers.js'
import { createRedisAnswers } from './redis-answers.js'
import type { CachedDeps, SharedAnswer } from './serve-cached.js'

type CacheSettings = { readonly config: Pick<GatewayConfig, 'cache'>; readonly redis?: Redis | undefined }

/** Answers that may be given again, and calls that identical ones share; null if the configuration wants neither. */
export function openCache(
  { config, redis }: CacheSettings,
  serving: SavedDeps,
): (CachedDeps & Pick<AnswerStore, 'erase'>) | null {
  const { enabled, backend, max_size: entriesMax, ttl_seconds: ttlSeconds, similarity_threshold } = config.cache
  if (!enabled) return null
  invariant(backend === 'memory' || redis !== undefined, 'a cache in Redis has a Redis')
  const store =
    redis !== undefined && backend === 'redis'
      ? createRedisAnswers(redis, entriesMax, systemClock)
      : createMemoryAnswers(entriesMax)
  const cache = createAnswerCache(store, similarity_threshold)
  return { ...serving, ttlSeconds, cache, flights: createFlights<SharedAnswer>(), erase: store.erase }
}
