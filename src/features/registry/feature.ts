import { setTimeout as pause } from 'node:timers/promises'
import type { ModelIndex } from '../../core/pricing/index.js'
import type { Orm } from '../../db/orm.js'
import type { Clock } from '../../platform/clock.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Redis } from '../../platform/redis.js'
import type { Feature } from '../contract.js'
import { archivedFile, archivedRegistry } from './archived-registry.js'
import { type Archives, createArchives, isArchiveNumber } from './archives.js'
import { type BackfilledProvider, backfillProvider } from './backfill-registry.js'
import { bundledRegistry } from './bundled-registry.js'
import { openCopies } from './copies.js'
import { currentFile, currentRegistry, findPrice, manifest, type PriceAnswer } from './current-registry.js'
import { fetchFromOrigin, fetchThroughRedis } from './fetch-file.js'
import { type ImportDeps, type ImportedProvider, importRegistry, type RegistryDirectory } from './import-registry.js'
import { REGISTRY_LIMITS } from './limits.js'
import { type LiveRegistry, openLiveRegistry } from './live-registry.js'
import { createOrigin } from './origin.js'
import { createPriceHistory, type PriceHistory } from './price-history.js'
import { mountPrices, type PriceVerbs } from './price-routes.js'
import { createPriceVersions } from './price-store.js'
import { type PriceAt, pricesOfVersions } from './prices-in-force.js'
import { isProvider, PROVIDER_NAMES, type ProviderName, versionsOf } from './providers.js'
import { registryDiff } from './registry-diff.js'
import { createRenderer } from './render.js'
import { type CheckResult, checkRegistry, exposeCopies, summarizeRegistry } from './report.js'
import { mountRegistry } from './routes.js'
import { createRegistryStore, openKeptFiles } from './store.js'

export type RegistryConfig = {
  readonly baseUrl: string
  readonly fetchMsMax: number
  readonly cacheSeconds: number
  /** Whether the bundled facts serve as long as nothing was ever fetched. */
  readonly bundled: boolean
}

export type RegistryDeps = {
  readonly orm: Orm
  readonly redis: Redis | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly config: RegistryConfig
}

export type RegistryFeature = Feature & {
  /** What a model costs now. In memory; see `PriceAnswer`. */
  findPrice(provider: string, model: string): PriceAnswer
  /** Whether any provider is loaded; waits for the first load, at most as long as one fetch may take. */
  registryLoaded(): Promise<boolean>
  /** `callback` runs after each load that brought a provider's file of new content, also at the start. */
  onLoaded(callback: () => void): void
  /**
   * A provider's models as they are now, in memory; undefined if the registry has none of it. Before the first round
   * bundled ones count: a wildcard means something better than nothing.
   */
  facts(provider: string): ModelIndex | undefined
  /** Another number after each load of new content. */
  loads(): number
  /** Whether it is a provider of the registry, loaded or not. */
  hasProvider(provider: string): boolean
  versionOf(provider: string): number | undefined
  /** One version's models; undefined where there is no such version. Throws `registry-unavailable`. */
  archivedFacts(provider: string, version: number): Promise<ModelIndex | undefined>
  /** What models cost over time, and in named versions. */
  readonly pricing: RegistryPricing
  /** For `doctor`: asks the origin for every provider. */
  check(): Promise<CheckResult>
  /** A line for people: the versions that serve now, and whether they are bundled. */
  summary(): string
  /**
   * `openai@7`, or null if nothing of that provider was ever loaded and there is no bundled file. The versions of all
   * providers (`anthropic@9+openai@7`) for a provider that the registry does not have.
   */
  currentVersion(provider: string | undefined): string | null
  /** Serves the last good copies of Postgres at once and refreshes in the background. Never waits for the network. */
  start(): Promise<void>
  close(): Promise<void>
}

type RegistryPricing = {
  /** At the time of an event, of what was fetched, imported or taken from the archives. */
  readonly inForce: PriceAt
  /** In versions such as `openai@7`; undefined if there is no such. Throws `registry-unavailable`. */
  inVersions(text: string): Promise<PriceAt | undefined>
}

const USER_AGENT = 'llmring-server'

/** The model registry: a cache of the origin's files that outlives its outages, and the prices in them. */
export function createRegistry(deps: RegistryDeps): RegistryFeature {
  const { clock, logger, config, redis } = deps
  const origin = createOrigin({ ...config, userAgent: USER_AGENT })
  const fetchAlone = fetchFromOrigin({ origin, clock })
  const fetch = redis === undefined ? fetchAlone : fetchThroughRedis({ origin, clock }, redis, config)
  const kept = openKeptFiles(createRegistryStore(deps.orm), logger)
  const copies = openCopies({ fetch, keep: kept.keep, clock, logger, cacheSeconds: config.cacheSeconds })
  const bundled = config.bundled ? bundledRegistry() : async () => []
  const live = openLiveRegistry({ copies, kept, bundled, clock, logger, fetchMsMax: config.fetchMsMax })
  const file = (provider: ProviderName) => copies.providers[provider].state().file
  /** Of the origin: a bundled version says nothing of how far the origin has come. */
  const newestVersion = (provider: ProviderName) => {
    const newest = file(provider)
    return newest?.source === 'origin' ? newest.version : undefined
  }
  const archives = createArchives({ ...live, kept, fetch: fetchAlone, bundled, clock, newestVersion })
  const renderer = createRenderer()
  const current = { ...copies, ...config, ...live, renderer, clock }
  const archived = { find: archives.find, renderer, newestVersion }
  exposeCopies(deps.metrics, copies, clock)
  const history = createPriceHistory({ ...live, versions: createPriceVersions(deps.orm), clock })

  return {
    name: 'registry',
    mount: (app, guards) => {
      mountPrices(app, guards, priceVerbs(history, live, archives.find))
      mountRegistry(app, guards, {
        currentRegistry: (filter) => currentRegistry(current, filter),
        archivedRegistry: (pin, filter) => archivedRegistry(archived, pin, filter),
        currentFile: (provider) => currentFile(current, provider),
        archivedFile: (provider, version) => archivedFile(archived, provider, version),
        manifest: () => manifest(current),
      })
    },
    findPrice: (provider, model) => findPrice({ file }, provider, model),
    registryLoaded: async () => {
      if (!live.snapshot().complete) await live.firstRound()
      return live.snapshot().files.length > 0
    },
    ...offeredBy(live, archives.find),
    pricing: { inForce: history.at, inVersions: (text) => pricesOfVersions(archives.find, text) },
    check: () => checkRegistry({ providers: copies.providers, firstRound: live.firstRound, clock }),
    summary: () => summarizeRegistry({ ...live, ...config }),
    start: live.start,
    close: async () => {
      await Promise.all([origin.close(), live.close()])
      await kept.close()
    },
  }
}

function priceVerbs(history: PriceHistory, live: LiveRegistry, find: Archives['find']): PriceVerbs {
  return { diff: (input) => registryDiff({ ...live, find }, input), prices: history.find }
}

type Offered = Pick<
  RegistryFeature,
  'onLoaded' | 'facts' | 'loads' | 'hasProvider' | 'versionOf' | 'archivedFacts' | 'currentVersion'
>

/** What other features ask of the models. Of the current ones in memory. */
function offeredBy(live: LiveRegistry, find: Archives['find']): Offered {
  return {
    onLoaded: live.onLoaded,
    facts: (provider) => (isProvider(provider) ? live.file(provider)?.index : undefined),
    loads: live.loads,
    hasProvider: isProvider,
    versionOf: (provider) => (isProvider(provider) ? live.version(provider) : undefined),
    archivedFacts: async (provider, version) => {
      if (!isProvider(provider) || !isArchiveNumber(version)) return undefined
      return (await find(provider, version))?.file.index
    },
    currentVersion: (provider) => {
      const wanted = provider !== undefined && isProvider(provider) ? [provider] : PROVIDER_NAMES
      return versionsOf(wanted, live.version)
    },
  }
}

/** For the command that imports a folder; see `importRegistry`. */
export function openImport(
  orm: Orm,
  deps: Omit<ImportDeps, 'store'>,
): (directory: RegistryDirectory) => Promise<ImportedProvider[]> {
  return (directory) => importRegistry({ ...deps, store: createRegistryStore(orm) }, directory)
}

export type BackfillOptions = {
  readonly config: Pick<RegistryConfig, 'baseUrl' | 'fetchMsMax'>
  readonly clock: Clock
  readonly versionsMax: number
  readonly onFile: (file: { readonly provider: ProviderName; readonly version: number }) => void
  readonly signal?: AbortSignal
}

/** For the command that fetches the origin's archives; see `backfillProvider`. One provider after the other. */
export async function backfillRegistry(orm: Orm, options: BackfillOptions): Promise<BackfilledProvider[]> {
  const { config, clock, versionsMax, onFile, signal } = options
  const origin = createOrigin({ ...config, userAgent: USER_AGENT })
  const deps = {
    fetch: fetchFromOrigin({ origin, clock }),
    store: createRegistryStore(orm),
    versions: createPriceVersions(orm),
    pause: () => pause(REGISTRY_LIMITS.backfillPauseMs, undefined, { signal }),
    onFile,
  }
  const done: BackfilledProvider[] = []
  try {
    for (const provider of PROVIDER_NAMES) done.push(await backfillProvider(deps, provider, versionsMax))
    return done
  } finally {
    await origin.close()
  }
}
