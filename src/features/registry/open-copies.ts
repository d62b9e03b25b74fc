import type { Clock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import type { Redis } from '../../platform/redis.js'
import { type Copy, createCopy } from './copy.js'
import { type Fetched, fetchFile, fetchShared } from './fetch-file.js'
import type { Origin } from './origin.js'
import { currentTarget, MANIFEST, type ProviderName, type Target } from './providers.js'
import { type ProviderFile, type Read, type RegistryFile, readManifest, readProviderFile } from './registry-file.js'
import { type Restorable, restorable } from './restore-copies.js'
import { createSharedCache } from './shared-cache.js'
import type { ProviderCopies } from './snapshot.js'
import type { FileToKeep } from './store.js'

export type RegistryConfig = { readonly baseUrl: string; readonly fetchMsMax: number; readonly cacheSeconds: number }

export type CopiesDeps = {
  readonly origin: Origin
  readonly redis: Redis | undefined
  /** Begins to keep a file in Postgres. */
  readonly keep: (file: FileToKeep) => void
  readonly clock: Clock
  readonly logger: Logger
  readonly config: RegistryConfig
}

export type Copies = {
  readonly providers: ProviderCopies
  readonly manifest: Copy<RegistryFile>
  readonly all: readonly Copy<RegistryFile>[]
  readonly restorable: readonly Restorable[]
}

/** The copies of everything that changes at the origin: the providers' current files, and the manifest. */
export function openCopies(deps: CopiesDeps): Copies {
  const fetch = fetcher(deps)
  const common = { clock: deps.clock, cacheSeconds: deps.config.cacheSeconds, logger: deps.logger }
  const openProvider = (provider: ProviderName) => {
    const target = currentTarget(provider)
    const read: Read<ProviderFile> = (bytes) => readProviderFile(target, bytes)
    const copy = createCopy<ProviderFile>({
      ...common,
      target,
      fetch: () => fetch(target.path, read),
      keep: (file, fetchedAt) => deps.keep({ ...keepable(target, file), version: file.version, fetchedAt }),
      replaced: (before, after) => report(deps.logger, before, after),
    })
    return { copy, restorable: restorable(copy, read) }
  }
  const readTarget: Read<RegistryFile> = (bytes) => readManifest(MANIFEST, bytes)
  const manifest = createCopy<RegistryFile>({
    ...common,
    target: MANIFEST,
    fetch: () => fetch(MANIFEST.path, readTarget),
    keep: (file, fetchedAt) => deps.keep({ ...keepable(MANIFEST, file), version: null, fetchedAt }),
    replaced: () => undefined,
  })
  const [anthropic, google, openai] = [openProvider('anthropic'), openProvider('google'), openProvider('openai')]
  return {
    providers: { anthropic: anthropic.copy, google: google.copy, openai: openai.copy },
    manifest,
    all: [anthropic.copy, google.copy, openai.copy, manifest],
    restorable: [anthropic.restorable, google.restorable, openai.restorable, restorable(manifest, readTarget)],
  }
}

type Fetch = <File extends RegistryFile>(path: string, read: Read<File>) => Promise<Fetched<File>>

function fetcher({ origin, redis, clock, config }: CopiesDeps): Fetch {
  const alone = { askOrigin: (path: string) => origin.get(path), clock }
  if (redis === undefined) return (path, read) => fetchFile(alone, path, read)
  const together = { ...alone, ...config, shared: createSharedCache(redis, config) }
  return (path, read) => fetchShared(together, path, read)
}

function keepable(target: Target, file: RegistryFile) {
  return { path: target.path, provider: target.provider, sha256: file.sha256, bytes: file.bytes }
}

/** A provider that goes back to an older version, or changes one, is believed; somebody should know. */
function report(logger: Logger, before: ProviderFile | undefined, after: ProviderFile): void {
  const line = { provider: after.provider, version: after.version, models: after.index.byKey.size }
  if (before !== undefined && after.version <= before.version) {
    logger.warn({ ...line, before: before.version }, 'registry file changed without a newer version')
  } else logger.info(line, 'registry file is new')
}
