import type { Clock } from '../../platform/clock.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { OriginAnswer } from './origin.js'
import type { Read, RegistryFile } from './registry-file.js'
import type { Lock, SharedCache } from './shared-cache.js'

export type Fetched<File> =
  | { readonly kind: 'fetched'; readonly file: File; readonly fetchedAt: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string }

export type FetchDeps = {
  readonly askOrigin: (path: string) => Promise<OriginAnswer>
  readonly clock: Clock
}

export type SharedFetchDeps = FetchDeps & {
  readonly shared: SharedCache
  readonly fetchMsMax: number
  readonly cacheSeconds: number
}

/** Fetches a file from the origin. What is not what was asked for is a failure, never a file. */
export async function fetchFile<File extends RegistryFile>(
  deps: FetchDeps,
  path: string,
  read: Read<File>,
): Promise<Fetched<File>> {
  const answer = await deps.askOrigin(path)
  if (answer.kind !== 'found') return answer
  const result = read(answer.bytes)
  return result.ok
    ? { kind: 'fetched', file: result.file, fetchedAt: deps.clock() }
    : { kind: 'failed', reason: result.reason }
}

/**
 * The same for several instances at once: the one that gets the lock asks the origin, the others wait for what it
 * shares. They wait as long as one fetch may take and then fetch themselves; where the winner failed they take turns.
 *
 * A crash while the lock is held leaves it until it expires, a second after the longest fetch.
 */
export async function fetchShared<File extends RegistryFile>(
  deps: SharedFetchDeps,
  path: string,
  read: Read<File>,
): Promise<Fetched<File>> {
  const late = AbortSignal.timeout(deps.fetchMsMax)
  for (;;) {
    const shared = await readShared(deps, path, read)
    if (shared !== undefined) return shared
    const lock: Lock = late.aborted ? { kind: 'away' } : await deps.shared.lock(path)
    if (lock.kind === 'held') return fetchForAll(deps, path, read, lock.token)
    if (lock.kind === 'away') return fetchAndShare(deps, path, read)
    await new Promise((resolve) => setTimeout(resolve, REGISTRY_LIMITS.sharedPollMs))
  }
}

async function fetchForAll<File extends RegistryFile>(
  deps: SharedFetchDeps,
  path: string,
  read: Read<File>,
  token: string,
): Promise<Fetched<File>> {
  try {
    // The last holder may have shared its file and let go between our look and our lock.
    return (await readShared(deps, path, read)) ?? (await fetchAndShare(deps, path, read))
  } finally {
    await deps.shared.unlock(path, token)
  }
}

async function fetchAndShare<File extends RegistryFile>(
  deps: SharedFetchDeps,
  path: string,
  read: Read<File>,
): Promise<Fetched<File>> {
  const fetched = await fetchFile(deps, path, read)
  if (fetched.kind === 'fetched') {
    await deps.shared.write(path, { bytes: fetched.file.bytes, fetchedAt: fetched.fetchedAt })
  }
  return fetched
}

/** A shared file counts while it is fresh, and only where it still proves to be what was asked for. */
async function readShared<File extends RegistryFile>(
  deps: SharedFetchDeps,
  path: string,
  read: Read<File>,
): Promise<Fetched<File> | undefined> {
  const shared = await deps.shared.read(path)
  const now = deps.clock()
  if (shared === undefined || now - shared.fetchedAt >= deps.cacheSeconds * 1000) return undefined
  const result = read(shared.bytes)
  if (!result.ok) return undefined
  return { kind: 'fetched', file: result.file, fetchedAt: Math.min(shared.fetchedAt, now) }
}
