import type { Members } from '../../../core/chat/index.js'
import { GATEWAY_LIMITS } from '../limits.js'

/** What a caller wants of the cache. `asked`: it said so, for an answer that need not be the same each time. */
export type CacheWish = {
  readonly asked: boolean
  readonly reads: boolean
  readonly writes: boolean
  readonly ttlSeconds: number | null
}

/** Of a request that is a part of something larger. */
export const NO_CACHE: CacheWish = { asked: false, reads: false, writes: false, ttlSeconds: null }

/**
 * Reads `X-LLM-Router-Cache` (`use`, `no-cache`, `no-store`), `X-LLM-Router-Cache-TTL` (seconds) and the same words of
 * `Cache-Control` (RFC 9111). What is not understood says nothing.
 */
export function readCacheWish(header: (name: string) => string | undefined): CacheWish {
  const said = `${header('x-llm-router-cache') ?? ''},${header('cache-control') ?? ''}`.toLowerCase()
  const words = new Set(said.split(',').map((word) => word.trim()))
  const ttl = header('x-llm-router-cache-ttl') ?? ''
  const seconds = /^\d{1,9}$/.test(ttl) ? Number(ttl) : null
  const noStore = words.has('no-store') || seconds === 0
  return {
    asked: words.has('use'),
    reads: !noStore && !words.has('no-cache'),
    writes: !noStore,
    ttlSeconds: seconds === null ? null : Math.min(seconds, GATEWAY_LIMITS.cacheTtlSecondsMax),
  }
}

/** Whether an answer may stand for another one: nothing is left to chance, or the caller allows it. */
export const isRepeatable = (body: Members, wish: CacheWish): boolean => body['temperature'] === 0 || wish.asked
