import { createHash, randomUUID } from 'node:crypto'
import type { Redis } from '../../platform/redis.js'
import { REGISTRY_LIMITS } from './limits.js'

export type SharedFile = { readonly bytes: Uint8Array<ArrayBuffer>; readonly fetchedAt: number }

/** Whether this instance may fetch: a token to give back, somebody else has it, or Redis is away (nobody can say). */
export type Lock = { readonly kind: 'held'; readonly token: string } | { readonly kind: 'taken' | 'away' }

/** What the instances share, so that one of them fetches for all. Nothing here ever rejects: Redis may be lost. */
export type SharedCache = {
  read(path: string): Promise<SharedFile | undefined>
  write(path: string, file: SharedFile): Promise<void>
  lock(path: string): Promise<Lock>
  unlock(path: string, token: string): Promise<void>
}

export type SharedCacheOptions = {
  readonly baseUrl: string
  readonly fetchMsMax: number
  readonly cacheSeconds: number
}

/** Deletes the lock only while it is still ours: it may have expired and be another instance's by now. */
const UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
const NEWLINE = 0x0a
const HEAD_BYTES_MAX = 20

/** A file's key holds the time of its fetch (milliseconds since the epoch), a newline, and the bytes as served. */
export function createSharedCache(redis: Redis, options: SharedCacheOptions): SharedCache {
  const origin = createHash('sha256').update(options.baseUrl).digest('hex').slice(0, 16)
  const keyOf = (path: string) => `llmring:registry:${origin}:${path}`
  const lockOf = (path: string) => `${keyOf(path)}:lock`
  const lockMs = options.fetchMsMax + REGISTRY_LIMITS.sharedLockMarginMs

  return {
    read: async (path) => {
      const value = await redis.getBuffer(keyOf(path)).catch(() => null)
      return value === null ? undefined : decode(value)
    },
    write: async (path, { bytes, fetchedAt }) => {
      const value = Buffer.concat([Buffer.from(`${fetchedAt}\n`), bytes])
      await redis.set(keyOf(path), value, 'EX', options.cacheSeconds).catch(() => null)
    },
    lock: async (path) => {
      const token = randomUUID()
      try {
        const set = await redis.set(lockOf(path), token, 'PX', lockMs, 'NX')
        return set === 'OK' ? { kind: 'held', token } : { kind: 'taken' }
      } catch {
        return { kind: 'away' }
      }
    },
    unlock: async (path, token) => {
      await redis.eval(UNLOCK, 1, lockOf(path), token).catch(() => null)
    },
  }
}

function decode(value: Buffer): SharedFile | undefined {
  const newline = value.subarray(0, HEAD_BYTES_MAX).indexOf(NEWLINE)
  const fetchedAt = Number(value.toString('latin1', 0, Math.max(newline, 0)))
  if (newline < 1 || !Number.isSafeInteger(fetchedAt)) return undefined
  return { bytes: new Uint8Array(value.subarray(newline + 1)), fetchedAt }
}
