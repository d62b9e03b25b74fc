import { LRUCache } from 'lru-cache'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { createBudget } from './budget.js'
import type { Fetched } from './fetch-file.js'
import { REGISTRY_LIMITS } from './limits.js'
import { archiveTarget, currentTarget, type ProviderName, type ProviderTarget } from './providers.js'
import { type ProviderFile, type Read, readProviderFile } from './registry-file.js'
import type { FileToKeep, KeptFile } from './store.js'

/**
 * A version of a provider's file. `archived`: it comes from the origin's archive and never changes; otherwise it is a
 * copy that we took while it was the current one, which the origin has not archived.
 */
export type ArchivedFile = { readonly file: ProviderFile; readonly archived: boolean }

export type Archives = {
  /** One version; undefined where there is none. Throws `registry-unavailable` where nobody can say now. */
  find(provider: ProviderName, version: number): Promise<ArchivedFile | undefined>
}

export type ArchivesDeps = {
  readonly kept: (path: string) => Promise<KeptFile | undefined>
  readonly seenAsCurrent: (provider: string, version: number) => Promise<KeptFile | undefined>
  readonly keep: (file: FileToKeep) => void
  readonly fetch: (path: string, read: Read<ProviderFile>) => Promise<Fetched<ProviderFile>>
  /** The newest version that we know of; undefined where the provider was never loaded. */
  readonly newestVersion: (provider: ProviderName) => number | undefined
  readonly clock: Clock
}

/** Archived versions: from memory, else from Postgres, else from the origin, whose "no" is remembered for a minute. */
export function createArchives(deps: ArchivesDeps): Archives {
  const found = new LRUCache<string, ArchivedFile>({
    max: REGISTRY_LIMITS.archivesMax,
    maxSize: REGISTRY_LIMITS.archivesBytesMax,
    sizeCalculation: ({ file }) => file.bytes.byteLength,
  })
  const missing = new LRUCache<string, { seen: ArchivedFile | undefined; until: number }>({
    max: REGISTRY_LIMITS.missingMax,
  })
  const underWay = new Map<string, Promise<ArchivedFile | undefined>>()
  const budget = createBudget(deps.clock, REGISTRY_LIMITS.archiveFetchesPerMinuteMax)

  const ask = async (target: ProviderTarget): Promise<ProviderFile | undefined> => {
    if (!budget.take()) throw unavailable('Too many archived versions are asked for at once')
    const fetched = await deps.fetch(target.path, (bytes) => readProviderFile(target, bytes))
    if (fetched.kind === 'missing') return undefined
    if (fetched.kind === 'failed') throw unavailable(`The origin did not give ${target.path}: ${fetched.reason}`)
    const { file, fetchedAt } = fetched
    const { provider, version, bytes, sha256 } = file
    deps.keep({ path: target.path, provider, version, bytes, sha256, fetchedAt })
    return file
  }

  const load = async (provider: ProviderName, version: number): Promise<ArchivedFile | undefined> => {
    const target = archiveTarget(provider, version)
    const file = parse(target, await deps.kept(target.path)) ?? (await ask(target))
    if (file !== undefined) {
      found.set(target.path, { file, archived: true })
      return { file, archived: true }
    }
    const copy = parse({ ...currentTarget(provider), version }, await deps.seenAsCurrent(provider, version))
    const seen = copy === undefined ? undefined : { file: copy, archived: false }
    missing.set(target.path, { seen, until: deps.clock() + REGISTRY_LIMITS.missingMsMax })
    return seen
  }

  return {
    find: async (provider, version) => {
      const { path } = archiveTarget(provider, version)
      const known = found.get(path)
      if (known !== undefined) return known
      const no = missing.get(path)
      if (no !== undefined && no.until > deps.clock()) return no.seen
      const newest = deps.newestVersion(provider)
      if (newest !== undefined && version > newest + REGISTRY_LIMITS.versionsAheadMax) return undefined
      const loading = underWay.get(path) ?? load(provider, version).finally(() => underWay.delete(path))
      underWay.set(path, loading)
      return loading
    },
  }
}

function parse(target: ProviderTarget, kept: KeptFile | undefined): ProviderFile | undefined {
  const result = kept === undefined ? undefined : readProviderFile(target, kept.bytes)
  return result?.ok === true ? result.file : undefined
}

function unavailable(detail: string): AppError {
  return new AppError('registry-unavailable', `${detail}.`, { retryAfterSeconds: 5 })
}
