import type { ModelIndex } from '../../core/pricing/index.js'
import type { RegistryFacts } from '../../core/routing/index.js'

/** The registry, as far as drift needs it. */
export type DriftRegistry = {
  /** Whether anything is loaded; waits for the first load, bounded. */
  readonly registryLoaded: () => Promise<boolean>
  /** Whether it is a provider of the registry, loaded or not. Names are lower case. */
  readonly hasProvider: (provider: string) => boolean
  readonly facts: RegistryFacts
  readonly versionOf: (provider: string) => number | undefined
  /** One version's models; undefined where there is no such version. Throws `registry-unavailable`. */
  readonly archivedFacts: (provider: string, version: number) => Promise<ModelIndex | undefined>
}

/** The version of a provider that is pinned (null: none, or none that is known) and the one that holds. */
export type ProviderVersions = { readonly pinned: number | null; readonly current: number }

export type Pinned = {
  readonly facts: RegistryFacts
  readonly versions: ReadonlyMap<string, ProviderVersions>
  readonly warnings: readonly string[]
}

/**
 * The models of these providers as a lockfile pins them. A pin that names no version is a warning: without it only what
 * is gone or inactive can be told.
 */
export async function readPinned(
  registry: DriftRegistry,
  providers: readonly string[],
  pins: Readonly<Record<string, unknown>>,
): Promise<Pinned> {
  const versionPinned = new Map(Object.entries(pins).map(([name, version]) => [name.toLowerCase(), version]))
  const read = async (provider: string) => {
    const current = registry.versionOf(provider)
    const pin = versionPinned.get(provider)
    if (current === undefined) return undefined
    if (pin === undefined) return { provider, current, pinned: null, index: undefined }
    const index = typeof pin === 'number' ? await archived(registry, provider, pin) : undefined
    return { provider, current, pinned: index === undefined ? null : Number(pin), index, pin }
  }
  const all = (await Promise.all(providers.map(read))).filter((one) => one !== undefined)
  const indexes = new Map(all.map(({ provider, index }) => [provider, index]))
  return {
    facts: (provider) => indexes.get(provider),
    versions: new Map(all.map(({ provider, pinned, current }) => [provider, { pinned, current }])),
    warnings: all.flatMap(({ provider, pinned, pin }) => {
      if (pin === undefined || pinned !== null) return []
      return [`The registry has no version ${JSON.stringify(pin)} of ${provider}: prices and limits are not compared.`]
    }),
  }
}

/** The current version's own file is compared with itself, so that nothing is fetched for it. */
async function archived(registry: DriftRegistry, provider: string, version: number): Promise<ModelIndex | undefined> {
  if (version === registry.versionOf(provider)) return registry.facts(provider)
  return registry.archivedFacts(provider, version)
}
