import { findModel, type ModelIndex, type Prices, providerName } from '../../core/pricing/index.js'
import { type Archives, isArchiveNumber } from './archives.js'
import type { PriceAnswer } from './current-registry.js'
import { isProvider, type ProviderName } from './providers.js'

/** A version of a provider's file, and from when on it was in force, in milliseconds since the epoch. */
export type DatedVersion = { readonly version: number; readonly fromMs: number }
/** The price of a model in the versions between two, both included. */
type VersionSpan = { readonly fromVersion: number; readonly toVersion: number; readonly prices: Prices }
export type DatedPrices = {
  /** In the order of their numbers. */
  readonly versions: readonly DatedVersion[]
  /** By the model's key, in the order of the versions. */
  readonly spans: ReadonlyMap<string, readonly VersionSpan[]>
  /** In which names are looked up. */
  readonly newest: ModelIndex | undefined
}
/** The price of a model at a time in milliseconds since the epoch; undefined: the question does not concern it. */
export type PriceAt = (provider: string, model: string, atMs: number) => Promise<PriceAnswer | undefined>

/**
 * When a version came into force: when its maker says that it was made, or else when it was first fetched. Another
 * content of the same number is in force from when it was seen.
 */
export function inForceFrom(
  { updatedAt, firstSeenAt }: { readonly updatedAt: number | null; readonly firstSeenAt: number | null },
  isFirstOfVersion: boolean,
): number {
  const made = updatedAt ?? firstSeenAt ?? 0
  return isFirstOfVersion ? made : Math.max(made, firstSeenAt ?? 0)
}

/**
 * What a model cost at a time: in the version that was in force. A model that it did not have, and a time before all
 * known versions, take the next version that has a price; failing that, the last one before.
 */
export function priceAt(
  { versions, spans, newest }: DatedPrices,
  provider: ProviderName,
  model: string,
  atMs: number,
): PriceAnswer {
  if (versions.length === 0) return { status: 'no_registry' }
  const inForce = versions.findLast(({ fromMs }) => fromMs <= atMs)?.version ?? 0
  const own = spansOf(spans, newest, provider, model)
  const span =
    own.findLast(({ fromVersion, toVersion }) => fromVersion <= inForce && inForce <= toVersion) ??
    own.find(({ fromVersion }) => fromVersion > inForce) ??
    own.at(-1)
  const newestVersion = versions.at(-1)?.version ?? 0
  if (span === undefined) {
    return { status: 'unknown_model', registryVersion: `${provider}@${inForce === 0 ? newestVersion : inForce}` }
  }
  const version = Math.min(Math.max(inForce, span.fromVersion), span.toVersion)
  return { status: 'found', prices: span.prices, registryVersion: `${provider}@${version}` }
}

/** As an event's model is read in the newest version; else a key that an older one had. */
function spansOf(spans: DatedPrices['spans'], newest: ModelIndex | undefined, provider: string, model: string) {
  const known = newest === undefined ? undefined : findModel(newest, provider, model)
  const key = known?.key ?? [`${provider}:${model}`, model].find((one) => spans.has(one))
  return (key === undefined ? undefined : spans.get(key)) ?? []
}

/** The prices of each event's time. Throws if the kept files cannot be read. */
export function pricesInForce(historyOf: (provider: ProviderName) => Promise<DatedPrices>): PriceAt {
  return async (provider, model, atMs) => {
    const name = providerName(provider)
    if (!isProvider(name)) return { status: 'unknown_model', registryVersion: null }
    return priceAt(await historyOf(name), name, model, atMs)
  }
}

const VERSION = /^([a-z]+)@([1-9]\d{0,6})$/

/**
 * The prices of named versions, `anthropic@9+openai@7`: of other providers nothing is said. Undefined if the text names
 * none, or one that does not exist. Throws `registry-unavailable` if that cannot be told now.
 */
export async function pricesOfVersions(find: Archives['find'], text: string): Promise<PriceAt | undefined> {
  const named = new Map<string, { readonly index: ModelIndex; readonly registryVersion: string }>()
  for (const part of text.split('+')) {
    const [, provider = '', digits = ''] = VERSION.exec(part) ?? []
    const version = Number(digits)
    if (!isProvider(provider) || !isArchiveNumber(version) || named.has(provider)) return undefined
    const found = await find(provider, version)
    if (found === undefined) return undefined
    named.set(provider, { index: found.file.index, registryVersion: part })
  }
  return async (provider, model) => {
    const one = named.get(providerName(provider))
    if (one === undefined) return undefined
    const known = findModel(one.index, provider, model)
    return known === undefined
      ? { status: 'unknown_model', registryVersion: one.registryVersion }
      : { status: 'found', prices: known.prices, registryVersion: one.registryVersion }
  }
}
