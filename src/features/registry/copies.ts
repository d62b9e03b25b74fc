import type { Clock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import { BUNDLED_DATE } from './bundled-registry.js'
import { type Copy, createCopy } from './copy.js'
import type { FetchFile } from './fetch-file.js'
import { currentTarget, MANIFEST, PROVIDER_NAMES, type ProviderName } from './providers.js'
import { type ProviderFile, type RegistryFile, readManifest, readProviderFile } from './registry-file.js'
import { type FileToKeep, fileToKeep } from './store.js'

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
export type Snapshot = {
  readonly files: readonly ProviderFile[]
  /** What a reader has to know of each provider: constant texts while an outage lasts, so that the bytes are, too. */
  readonly warnings: readonly { readonly provider: ProviderName; readonly text: string }[]
  /** All providers are there, and none of them is bundled. */
  readonly complete: boolean
  /** The oldest confirmation among the files: what `Age` counts from. */
  readonly confirmedAt: number | undefined
}

/** The providers' last good copies together. A provider that was never loaded is missing, and a warning says so. */
export function takeSnapshot(copies: ProviderCopies): Snapshot {
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
