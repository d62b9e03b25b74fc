import type { Clock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import type { FetchFile } from './fetch-file.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { Target } from './providers.js'
import type { Read, RegistryFile } from './registry-file.js'
import type { KeptFile } from './store.js'

/** What an instance holds of one file. Times are in milliseconds since the epoch. */
export type CopyState<File> = {
  /** The last good copy. A failure never takes it away. */
  readonly file: File | undefined
  /** When the origin last served exactly this file. */
  readonly confirmedAt: number | undefined
  /** Why the last attempt failed; undefined where it did not. */
  readonly failure: string | undefined
  /** The origin said that there is no such file. */
  readonly missing: boolean
  /** The last attempt failed, and the copy is older than its time to live. */
  readonly stale: boolean
  readonly dueAt: number
}

export type Copy<File> = {
  readonly target: Target
  readonly state: () => CopyState<File>
  /** Takes over a file that was kept: it is served at once, and due at once. One that does not read any more is left. */
  restore(kept: KeptFile): void
  /** Fetches the file once. Returns whether the file is a new one. Never rejects. */
  refresh(): Promise<boolean>
}

export type CopyDeps<File> = {
  readonly target: Target
  readonly fetch: FetchFile
  readonly read: Read<File>
  /** Begins to keep a file for the next start and for the price history. */
  readonly keep: (file: File, fetchedAt: number) => void
  /** Hears of every new file, before it is kept. */
  readonly replaced: (before: File | undefined, after: File) => void
  readonly clock: Clock
  readonly cacheSeconds: number
  readonly logger: Logger
}

/** One file of the origin: the last good copy, how old it is, and when to ask again. */
export function createCopy<File extends RegistryFile>(deps: CopyDeps<File>): Copy<File> {
  const ttlMs = deps.cacheSeconds * 1000
  let failures = 0
  let state: CopyState<File> = {
    file: undefined,
    confirmedAt: undefined,
    failure: undefined,
    missing: false,
    stale: false,
    dueAt: 0,
  }

  const fail = (reason: string, missing: boolean): void => {
    const now = deps.clock()
    failures += 1
    const retryMs = Math.min(REGISTRY_LIMITS.retryMsMin * 2 ** Math.min(failures - 1, 16), REGISTRY_LIMITS.retryMsMax)
    const stale = state.confirmedAt !== undefined && now - state.confirmedAt >= ttlMs
    state = { ...state, failure: reason, missing, stale, dueAt: now + Math.min(retryMs, ttlMs) }
    const line = { path: deps.target.path, reason, failures, retry_ms: retryMs }
    if (failures === 1) deps.logger.warn(line, 'registry file could not be refreshed')
    else deps.logger.debug(line, 'registry file could still not be refreshed')
  }

  return {
    target: deps.target,
    state: () => state,
    restore: ({ bytes, fetchedAt }) => {
      const result = state.file === undefined ? deps.read(bytes) : undefined
      if (result?.ok !== true) return
      state = { ...state, file: result.file, confirmedAt: Math.min(fetchedAt, deps.clock()) }
    },
    refresh: async () => {
      const fetched = await deps.fetch(deps.target.path, deps.read)
      if (fetched.kind !== 'fetched') {
        fail(fetched.kind === 'missing' ? 'the origin has no such file' : fetched.reason, fetched.kind === 'missing')
        return false
      }
      const before = state.file
      const isNew = fetched.file.sha256 !== before?.sha256
      // The same bytes keep the parsed file that is in use: what was built from it stays valid.
      const file = isNew || before === undefined ? fetched.file : before
      if (failures > 0) deps.logger.info({ path: deps.target.path, failures }, 'registry file is refreshed again')
      failures = 0
      const confirmedAt = fetched.fetchedAt
      state = { file, confirmedAt, failure: undefined, missing: false, stale: false, dueAt: confirmedAt + ttlMs }
      if (isNew) deps.replaced(before, file)
      deps.keep(file, confirmedAt)
      return isNew
    },
  }
}
