import type { Clock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import { BUNDLED_DATE } from './bundled-registry.js'
import type { FetchFile } from './fetch-file.js'
import { REGISTRY_LIMITS } from './limits.js'
import { currentTarget, MANIFEST, PROVIDER_NAMES, type ProviderName, type Target } from './providers.js'
import { type ProviderFile, type Read, type RegistryFile, readManifest, readProviderFile } from './registry-file.js'
import { type FileToKeep, fileToKeep, type KeptFile } from './store.js'

/** What an instance holds of one file. Times are in milliseconds since the epoch. */
type CopyState<File> = {
  /** The last good copy. A failure never takes it away. */
  readonly file: File | undefined
  /** When the origin last served exactly this file. */
  readonly confirmedAt: number | undefined
  /** Why the last attempt failed; undefined if it did not. */
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
  /**
   * Takes over a file that was kept, unless this one was confirmed later. It is served at once, and due as before.
   * Returns whether it is a new one; false, too, for one that does not read any more.
   */
  restore(kept: KeptFile): boolean
  /** Takes a bundled file as long as there is no other. Returns whether it did. */
  fallBack(file: File, at: number): boolean
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
}

/** What a copy remembers. */
type Memory<File> = { state: CopyState<File>; failuresInARow: number }

/** One file of the origin: the last good copy, how old it is, and when to ask again. */
export function createCopy<File extends RegistryFile>(deps: CopyDeps<File>): Copy<File> {
  const nothing = { file: undefined, confirmedAt: undefined, failure: undefined, missing: false, stale: false }
  const memory: Memory<File> = { state: { ...nothing, dueAt: 0 }, failuresInARow: 0 }
  return {
    target: deps.target,
    state: () => memory.state,
    restore: (kept) => restore(deps, memory, kept),
    fallBack: (file, at) => {
      if (memory.state.file !== undefined) return false
      memory.state = { ...memory.state, file, confirmedAt: Math.min(at, deps.clock()) }
      return true
    },
    refresh: async () => {
      const fetched = await deps.fetch(deps.target.path, deps.read)
      if (fetched.status === 'fetched') return replace(deps, memory, fetched.file, fetched.fetchedAt)
      const isMissing = fetched.status === 'missing'
      memory.failuresInARow += 1
      memory.state = {
        ...memory.state,
        failure: isMissing ? 'the origin has no such file' : fetched.reason,
        missing: isMissing,
        stale: isStale(deps, memory.state.confirmedAt),
        dueAt: deps.clock() + retryMs(deps, memory.failuresInARow),
      }
      return false
    },
  }
}

function restore<File extends RegistryFile>(deps: CopyDeps<File>, memory: Memory<File>, kept: KeptFile): boolean {
  const { state } = memory
  const before = state.file
  const confirmedAt = Math.min(kept.fetchedAt, deps.clock())
  if (before?.source === 'origin' && confirmedAt <= (state.confirmedAt ?? 0)) return false
  const result = deps.read(kept.bytes)
  if (!result.ok) return false
  const isNew = result.file.sha256 !== before?.sha256
  const file = isNew || before === undefined ? result.file : before
  memory.state = { ...state, file, confirmedAt, stale: isStale(deps, confirmedAt) && state.failure !== undefined }
  if (isNew && before !== undefined) deps.replaced(before, file)
  return isNew
}

/** Takes over what the origin gave. Returns whether it is a new file. */
function replace<File extends RegistryFile>(
  deps: CopyDeps<File>,
  memory: Memory<File>,
  given: File,
  confirmedAt: number,
): boolean {
  const before = memory.state.file
  const isNew = given.sha256 !== before?.sha256
  // The same bytes keep the parsed file that is in use: what was built from it stays valid.
  const file = isNew || before === undefined ? given : before
  const dueAt = confirmedAt + ttlMs(deps)
  memory.failuresInARow = 0
  memory.state = { file, confirmedAt, failure: undefined, missing: false, stale: false, dueAt }
  if (isNew) deps.replaced(before, file)
  deps.keep(file, confirmedAt)
  return isNew
}

type Lifetime = Pick<CopyDeps<RegistryFile>, 'cacheSeconds' | 'clock'>

function ttlMs({ cacheSeconds }: Lifetime): number {
  return cacheSeconds * 1000
}

function isStale(lifetime: Lifetime, confirmedAt: number | undefined): boolean {
  return confirmedAt !== undefined && lifetime.clock() - confirmedAt >= ttlMs(lifetime)
}

/** How long to wait after so many failures in a row: twice as long each time, never longer than a good copy lives. */
function retryMs(lifetime: Lifetime, failures: number): number {
  const doubled = REGISTRY_LIMITS.retryMsMin * 2 ** Math.min(failures - 1, 16)
  return Math.min(doubled, REGISTRY_LIMITS.retryMsMax, ttlMs(lifetime))
}

export type CopiesDeps = {
  readonly fetch: FetchFile
  /** Begins to keep a file in Postgres. */
  readonly keep: (file: FileToKeep) => void
  readonly clock: Clock
  readonly logger: Logger
  readonly cacheSeconds: number
}

export type ProviderCopies = Readonly<Record<ProviderName, Copy<ProviderFile>>>

export type Copies = {
  readonly providers: ProviderCopies
  readonly manifest: Copy<RegistryFile>
  readonly all: readonly Copy<RegistryFile>[]
}

/** The copies of everything that changes at the origin: the providers' current files, and the manifest. */
export function openCopies(deps: CopiesDeps): Copies {
  const openProvider = (provider: ProviderName) => {
    const target = currentTarget(provider)
    return createCopy<ProviderFile>({
      ...deps,
      target,
      read: (bytes) => readProviderFile(target, bytes),
      keep: (file, fetchedAt) => deps.keep(fileToKeep(file, fetchedAt)),
      replaced: (before, after) => report(deps.logger, before, after),
    })
  }
  const manifest = createCopy<RegistryFile>({
    ...deps,
    target: MANIFEST,
    read: (bytes) => readManifest(MANIFEST, bytes),
    keep: (file, fetchedAt) => deps.keep(fileToKeep(file, fetchedAt)),
    replaced: () => undefined,
  })
  const providers = {
    anthropic: openProvider('anthropic'),
    google: openProvider('google'),
    openai: openProvider('openai'),
  }
  return { providers, manifest, all: [...Object.values(providers), manifest] }
}

/** A provider that goes back to an older version, or changes one, is believed; a log line says so. */
function report(logger: Logger, before: ProviderFile | undefined, after: ProviderFile): void {
  const line = { provider: after.provider, version: after.version, models: after.index.byKey.size }
  if (before?.source === 'origin' && after.version <= before.version) {
    logger.warn({ ...line, before: before.version }, 'registry file changed without a newer version')
  } else logger.info(line, 'registry file is new')
}

/** All providers at one moment. It is replaced, never changed. */
export type RegistrySnapshot = {
  readonly files: readonly ProviderFile[]
  /** What a reader has to know of each provider: constant texts while an outage lasts, so that the bytes are, too. */
  readonly warnings: readonly { readonly provider: ProviderName; readonly text: string }[]
  /** All providers are there, and none of them is bundled. */
  readonly complete: boolean
  /** The oldest confirmation among the files: what `Age` counts from. */
  readonly confirmedAt: number | undefined
}

/** The providers' last good copies together. A provider that was never loaded is missing, and a warning says so. */
export function takeSnapshot(copies: ProviderCopies): RegistrySnapshot {
  const files = PROVIDER_NAMES.flatMap((name) => copies[name].state().file ?? [])
  const warnings = PROVIDER_NAMES.flatMap((provider) => {
    const text = warningOf(provider, copies[provider])
    return text === undefined ? [] : [{ provider, text }]
  })
  const fromOrigin = files.filter(({ source }) => source === 'origin')
  const confirmed = PROVIDER_NAMES.flatMap((name) => copies[name].state().confirmedAt ?? [])
  return {
    files,
    warnings,
    complete: fromOrigin.length === PROVIDER_NAMES.length,
    confirmedAt: confirmed.length === 0 ? undefined : Math.min(...confirmed),
  }
}

function warningOf(provider: ProviderName, copy: Copy<ProviderFile>): string | undefined {
  const { file, stale, confirmedAt } = copy.state()
  if (file === undefined) return `${provider}: never loaded; its models are missing here.`
  if (file.source === 'bundled') return `${provider}: bundled copy of ${BUNDLED_DATE}; the origin was never reached.`
  if (!stale || confirmedAt === undefined) return undefined
  return `${provider}: the copy is stale; the origin last confirmed it at ${new Date(confirmedAt).toISOString()}.`
}
