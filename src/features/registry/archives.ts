import { LRUCache } from 'lru-cache'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { FetchFile } from './fetch-file.js'
import { REGISTRY_LIMITS } from './limits.js'
import { archiveTarget, currentTarget, type ProviderName, type ProviderTarget } from './providers.js'
import { type ProviderFile, readProviderFile } from './registry-file.js'
import { fileToKeep, type KeptFile, type KeptFiles } from './store.js'

/**
 * A version of a provider's file. `archived`: it comes from the origin's archive and never changes; otherwise it is a
 * copy that we took while it was the current one, which the origin has not archived, or a bundled one.
 */
export type ArchivedFile = { readonly file: ProviderFile; readonly archived: boolean }

export type Archives = {
  /** One version; undefined where there is none. Throws `registry-unavailable` where that cannot be said now. */
  find(provider: ProviderName, version: number): Promise<ArchivedFile | undefined>
}

/** Whether a version can be one of the archive. */
export function isArchiveNumber(version: number): boolean {
  return Number.isInteger(version) && version >= 1 && version <= REGISTRY_LIMITS.versionMax
}

export type ArchivesDeps = {
  readonly kept: Pick<KeptFiles, 'newest' | 'seenAsCurrent' | 'keep'>
  readonly fetch: FetchFile
  readonly bundled: () => Promise<readonly ProviderFile[]>
  /** The newest version that we know of; undefined if the provider was never loaded. */
  readonly newestVersion: (provider: ProviderName) => number | undefined
  /** Waits, bounded, for the first load: only then are numbers beyond the newest version refused without a fetch. */
  readonly firstRound: () => Promise<void> | undefined
  readonly clock: Clock
}

/**
 * Archived versions: from memory, else from Postgres, else from the origin, whose "no" is remembered for a minute; a
 * bundled version also while the origin cannot say.
 */
export function createArchives(deps: ArchivesDeps): Archives {
  const memory = createMemory(deps.clock)
  const underWay = new Map<string, Promise<ArchivedFile | undefined>>()
  const sources = { ...deps, budget: createBudget(deps.clock, REGISTRY_LIMITS.archiveFetchesPerMinuteMax) }

  const begin = async (path: string, provider: ProviderName, version: number): Promise<ArchivedFile | undefined> => {
    const file = await load(sources, provider, version)
    memory.remember(path, file)
    return file
  }

  return {
    find: async (provider, version) => {
      await deps.firstRound()
      const { path } = archiveTarget(provider, version)
      const known = memory.recall(path)
      if (known !== undefined) return known.file
      const newest = deps.newestVersion(provider)
      if (newest !== undefined && version > newest + REGISTRY_LIMITS.versionsAheadMax) return undefined
      const loading = underWay.get(path) ?? begin(path, provider, version).finally(() => underWay.delete(path))
      underWay.set(path, loading)
      return loading
    },
  }
}

/**
 * An archived file is remembered as long as there is room; that there is none, and what stands in for it, for a minute.
 */
function createMemory(clock: Clock) {
  const archived = new LRUCache<string, ArchivedFile>({
    max: REGISTRY_LIMITS.archivesMax,
    maxSize: REGISTRY_LIMITS.archivesBytesMax,
    sizeCalculation: ({ file }) => file.bytes.byteLength,
  })
  const missing = new LRUCache<string, { file: ArchivedFile | undefined; until: number }>({
    max: REGISTRY_LIMITS.missingMax,
  })
  return {
    /** Undefined if nothing is known of this path, or not any more. */
    recall: (path: string): { readonly file: ArchivedFile | undefined } | undefined => {
      const file = archived.get(path)
      if (file !== undefined) return { file }
      const no = missing.get(path)
      return no !== undefined && no.until > clock() ? no : undefined
    },
    remember: (path: string, file: ArchivedFile | undefined): void => {
      if (file?.archived === true) archived.set(path, file)
      else missing.set(path, { file, until: clock() + REGISTRY_LIMITS.missingMsMax })
    },
  }
}

type Sources = ArchivesDeps & { readonly budget: Budget }

async function load(sources: Sources, provider: ProviderName, version: number): Promise<ArchivedFile | undefined> {
  const target = archiveTarget(provider, version)
  const [kept] = await sources.kept.newest([target.path])
  const bundled = async () =>
    (await sources.bundled()).find((one) => one.provider === provider && one.version === version)
  const file = parse(target, kept) ?? (await fetchOr(sources, target, bundled))
  if (file?.source === 'origin') return { file, archived: true }
  const current = { ...currentTarget(provider), version }
  const copy = parse(current, await sources.kept.seenAsCurrent(provider, version)) ?? (await bundled())
  return copy === undefined ? undefined : { file: copy, archived: false }
}

/** What the origin has; `otherwise` if it cannot say. */
async function fetchOr(
  sources: Sources,
  target: ProviderTarget,
  otherwise: () => Promise<ProviderFile | undefined>,
): Promise<ProviderFile | undefined> {
  try {
    return await fetchArchived(sources, target)
  } catch (error) {
    const file = await otherwise()
    if (file === undefined) throw error
    return file
  }
}

/** Undefined if the origin has no such file. Throws `registry-unavailable` if it cannot say, or was asked too often. */
async function fetchArchived(
  { budget, fetch, kept }: Sources,
  target: ProviderTarget,
): Promise<ProviderFile | undefined> {
  if (!budget.take()) throw unavailable('Too many archived versions are asked for at once')
  const fetched = await fetch(target.path, (bytes) => readProviderFile(target, bytes))
  if (fetched.status === 'missing') return undefined
  if (fetched.status === 'failed') throw unavailable(`The origin did not give ${target.path}: ${fetched.reason}`)
  kept.keep(fileToKeep(fetched.file, fetched.fetchedAt))
  return fetched.file
}

function parse(target: ProviderTarget, kept: KeptFile | undefined): ProviderFile | undefined {
  const result = kept === undefined ? undefined : readProviderFile(target, kept.bytes)
  return result?.ok === true ? result.file : undefined
}

function unavailable(detail: string): AppError {
  return new AppError('registry-unavailable', `${detail}.`, { retryAfterSeconds: 5 })
}

const MINUTE_MS = 60_000

/** Counts what may be done in a minute. */
export type Budget = { take(): boolean }

/** At most `perMinuteMax` takings within each minute of the clock; beyond it `take` says no. */
export function createBudget(clock: Clock, perMinuteMax: number): Budget {
  let minute = 0
  let taken = 0
  return {
    take: () => {
      const now = Math.floor(clock() / MINUTE_MS)
      if (now !== minute) {
        minute = now
        taken = 0
      }
      if (taken >= perMinuteMax) return false
      taken += 1
      return true
    },
  }
}
