import { createHash } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import type { Redis } from '../../platform/redis.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { Origin } from './origin.js'
import type { Read, ReadResult, RegistryFile } from './registry-file.js'

type Fetched<File> =
  | { readonly status: 'fetched'; readonly file: File; readonly fetchedAt: number }
  | { readonly status: 'missing' }
  | { readonly status: 'failed'; readonly reason: string }

/** Fetches the file at a path and reads it. Never rejects. */
export type FetchFile = <File extends RegistryFile>(path: string, read: Read<File>) => Promise<Fetched<File>>

export type FetchDeps = { readonly origin: Pick<Origin, 'get'>; readonly clock: Clock }

export type SharedOptions = { readonly baseUrl: string; readonly cacheSeconds: number }

/** Fetches from the origin. What is not what was asked for is a failure, never a file. */
export function fetchFromOrigin({ origin, clock }: FetchDeps): FetchFile {
  return async (path, read) => {
    const response = await origin.get(path)
    if (response.status !== 'found') return response
    const result = read(response.bytes)
    return result.ok
      ? { status: 'fetched', file: result.file, fetchedAt: clock() }
      : { status: 'failed', reason: result.reason }
  }
}

/**
 * The same for several instances: what one of them fetched is in Redis for its time to live, and the others take it
 * from there. Instances that ask at the same moment each ask the origin: these are four small files an hour. A Redis
 * that fails is passed over.
 */
export function fetchThroughRedis(deps: FetchDeps, redis: Redis, options: SharedOptions): FetchFile {
  const fetch = fetchFromOrigin(deps)
  const origin = createHash('sha256').update(options.baseUrl).digest('hex').slice(0, 16)
  const keyOf = (path: string) => `llmring:registry:${origin}:${path}`

  /** A shared file counts while it is fresh, and only if it still proves to be what was asked for. */
  const readShared = async <File extends RegistryFile>(path: string, read: Read<File>) => {
    const value = await redis.getBuffer(keyOf(path)).catch(() => null)
    const shared = value === null ? undefined : decode(value)
    const now = deps.clock()
    if (shared === undefined || now - shared.fetchedAt >= options.cacheSeconds * 1000) return undefined
    const result: ReadResult<File> = read(shared.bytes)
    if (!result.ok) return undefined
    // Another instance's clock may be ahead of this one's: nothing was fetched in the future.
    return { status: 'fetched', file: result.file, fetchedAt: Math.min(shared.fetchedAt, now) } as const
  }

  return async (path, read) => {
    const shared = await readShared(path, read)
    if (shared !== undefined) return shared
    const fetched = await fetch(path, read)
    if (fetched.status === 'fetched') {
      const value = encode(fetched.file.bytes, fetched.fetchedAt)
      await redis.set(keyOf(path), value, 'EX', options.cacheSeconds).catch(() => null)
    }
    return fetched
  }
}

const NEWLINE = 0x0a

/** The time of the fetch (milliseconds since the epoch), a newline, and the bytes as served. */
function encode(bytes: Uint8Array, fetchedAt: number): Buffer {
  return Buffer.concat([Buffer.from(`${fetchedAt}\n`), bytes])
}

function decode(value: Buffer): { bytes: Uint8Array<ArrayBuffer>; fetchedAt: number } | undefined {
  const newline = value.subarray(0, REGISTRY_LIMITS.headBytesMax).indexOf(NEWLINE)
  const fetchedAt = Number(value.toString('latin1', 0, Math.max(newline, 0)))
  if (newline < 1 || !Number.isSafeInteger(fetchedAt)) return undefined
  return { bytes: new Uint8Array(value.subarray(newline + 1)), fetchedAt }
}
