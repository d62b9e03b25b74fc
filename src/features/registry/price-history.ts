import {
  findModel,
  type ModelIndex,
  PRICE_FIELDS,
  type PriceKind,
  type Prices,
  usdPerMillion,
} from '../../core/pricing/index.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { type Copied, unknownProvider } from './current-registry.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { PriceVersions } from './price-store.js'
import { type DatedPrices, type DatedVersion, inForceFrom, type PriceAt, pricesInForce } from './prices-in-force.js'
import { currentTarget, isProvider, type ProviderName } from './providers.js'
import { type ProviderFile, readProviderFile } from './registry-file.js'
import { renderJson } from './render.js'

/** One price of a model, over the consecutive versions that have it. Times are in milliseconds since the epoch. */
type PriceSpan = {
  readonly fromVersion: number
  readonly toVersion: number
  /** When this installation first had it; null for a version that it never fetched. */
  readonly firstSeenAt: number | null
  /** When the origin says that it made that version. */
  readonly updatedAt: number | null
  readonly prices: Prices
}
type History = Omit<DatedPrices, 'spans'> & {
  readonly newestVersion: number | null
  readonly spans: ReadonlyMap<string, readonly PriceSpan[]>
}
export type PriceHistory = {
  /** Every price that a model ever had here, newest first. Throws `not-found`. */
  find(provider: string, model: string): Promise<Copied>
  /** What a model cost at a time; see `priceAt`. */
  readonly at: PriceAt
}
export type PriceHistoryDeps = {
  readonly versions: PriceVersions
  /** The file that is in force, a bundled one included. */
  readonly file: (provider: ProviderName) => ProviderFile | undefined
  readonly firstRound: () => Promise<void> | undefined
  readonly loads: () => number
  readonly clock: Clock
}

/**
 * The history of prices, made of the kept files, one in memory at a time: 500 versions come to a few spans a model. It
 * is made anew after a load of new content, and after a minute for what another instance or a backfill brought.
 */
export function createPriceHistory(deps: PriceHistoryDeps): PriceHistory {
  const made = new Map<
    ProviderName,
    { readonly key: number; readonly until: number; readonly history: Promise<History> }
  >()
  const historyOf = (provider: ProviderName): Promise<History> => {
    const known = made.get(provider)
    const [key, now] = [deps.loads(), deps.clock()]
    if (known !== undefined && known.key === key && known.until > now) return known.history
    const history = readHistory(deps, provider)
    const entry = { key, until: now + REGISTRY_LIMITS.priceHistoryMsMax, history }
    made.set(provider, entry)
    // A failure is not remembered.
    history.catch(() => void (made.get(provider) === entry && made.delete(provider)))
    return history
  }
  return {
    at: pricesInForce(async (provider) => {
      await deps.firstRound()
      return historyOf(provider)
    }),
    find: async (provider, model) => {
      if (!isProvider(provider)) throw unknownProvider(provider)
      await deps.firstRound()
      const { newest, newestVersion, spans } = await historyOf(provider)
      const key = keyOf(provider, model, newest, spans)
      const found = key === undefined ? undefined : spans.get(key)
      if (found === undefined) throw new AppError('not-found', `${provider} never had a model '${model}' here.`)
      const prices = found.toReversed().map(renderSpan)
      const body = { provider, model: key, newest_version: newestVersion, prices }
      return { rendered: renderJson(body, 'origin'), freshness: { kind: 'copy', ageSeconds: 0, maxAgeSeconds: 60 } }
    },
  }
}

/** As an event's model is read in the newest version; else a key that an older one had. */
function keyOf(provider: string, model: string, newest: ModelIndex | undefined, spans: History['spans']) {
  const found = newest === undefined ? undefined : findModel(newest, provider, model)
  return found?.key ?? [`${provider}:${model}`, model].find((key) => spans.has(key))
}

async function readHistory(deps: PriceHistoryDeps, provider: ProviderName): Promise<History> {
  const kept = await deps.versions.list(provider, REGISTRY_LIMITS.importVersionsMax)
  const inForce = deps.file(provider)
  const isKept = kept.some(({ sha256, version }) => sha256 === inForce?.sha256 || version === inForce?.version)
  const seen = kept.map((one) => ({ ...one, read: () => readKept(deps, provider, one) }))
  if (inForce !== undefined && !isKept) {
    seen.push({ ...inForce, path: '', firstSeenAt: null, read: async () => inForce })
    seen.sort((one, other) => one.version - other.version)
  }
  const spans = new Map<string, PriceSpan[]>()
  const versions: DatedVersion[] = []
  let newest: ProviderFile | undefined
  for (const { firstSeenAt, read } of seen) {
    const file = await read()
    if (file === undefined) continue
    const { version, updatedAt } = file
    versions.push({ version, fromMs: inForceFrom({ updatedAt, firstSeenAt }, newest?.version !== version) })
    for (const [key, { prices }] of file.index.byKey) addTo(spans, key, prices, { file, firstSeenAt, before: newest })
    newest = file
  }
  return { newest: newest?.index, newestVersion: newest?.version ?? null, spans, versions }
}

async function readKept(deps: PriceHistoryDeps, provider: ProviderName, one: { path: string; sha256: string }) {
  const bytes = await deps.versions.body(one.path, one.sha256)
  const result = bytes === undefined ? undefined : readProviderFile(currentTarget(provider), bytes)
  return result?.ok === true ? result.file : undefined
}

type Seen = {
  readonly file: ProviderFile
  readonly firstSeenAt: number | null
  readonly before: ProviderFile | undefined
}

/** Extends the last span if the version before had the same price. */
function addTo(
  spans: Map<string, PriceSpan[]>,
  key: string,
  prices: Prices,
  { file, firstSeenAt, before }: Seen,
): void {
  const own = spans.get(key) ?? []
  spans.set(key, own)
  const last = own.at(-1)
  const { version, updatedAt } = file
  if (last !== undefined && last.toVersion === before?.version && textOf(last.prices) === textOf(prices)) {
    own[own.length - 1] = { ...last, toVersion: version }
  } else {
    own.push({ fromVersion: version, toVersion: version, firstSeenAt, updatedAt, prices })
  }
}

const textOf = (prices: Prices): string => JSON.stringify(renderPrices(prices))

function renderPrices({ unit, longContextThresholdTokens }: Prices) {
  const kinds = (Object.keys(unit) as PriceKind[]).sort()
  const known = kinds.map((kind) => [PRICE_FIELDS[kind], usdPerMillion(unit[kind] ?? 0n)] as const)
  return { unit_prices: Object.fromEntries(known), long_context_threshold_tokens: longContextThresholdTokens ?? null }
}

function renderSpan({ fromVersion, toVersion, firstSeenAt, updatedAt, prices }: PriceSpan) {
  return {
    from_version: fromVersion,
    to_version: toVersion,
    first_seen_at: timeOf(firstSeenAt),
    updated_at: timeOf(updatedAt),
    ...renderPrices(prices),
  }
}

const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
