import { findModel, type Prices, providerName } from '../../core/pricing/index.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Copy, ProviderCopies, RegistrySnapshot } from './copies.js'
import { REGISTRY_LIMITS } from './limits.js'
import { isProvider, PROVIDER_NAMES, type ProviderName } from './providers.js'
import type { ProviderFile, RegistryFile } from './registry-file.js'
import type { Filter, Rendered, Renderer } from './render.js'

/** How long a response may be kept: for good, or like a copy that was confirmed `ageSeconds` ago. */
export type Freshness =
  | { readonly kind: 'immutable' }
  | { readonly kind: 'copy'; readonly ageSeconds: number; readonly maxAgeSeconds: number }
  /** It lacks something or is bundled: it may be kept, and must be asked for again each time. */
  | { readonly kind: 'incomplete'; readonly ageSeconds: number }

/** A body with how long it may be kept. */
export type Copied = { readonly rendered: Rendered; readonly freshness: Freshness }

export type CurrentDeps = {
  readonly snapshot: () => RegistrySnapshot
  readonly providers: ProviderCopies
  readonly manifest: Copy<RegistryFile>
  readonly renderer: Renderer
  /** Starts a refresh in the background where one is due. */
  readonly tick: () => void
  /** Waits, bounded, for the first load; undefined once it is over. */
  readonly firstRound: () => Promise<void> | undefined
  readonly clock: Clock
  readonly cacheSeconds: number
}

/** The merged registry. No I/O and no promise once the first load is over. Throws `registry-unavailable`. */
export function currentRegistry(deps: CurrentDeps, filter: Filter): Copied | Promise<Copied> {
  deps.tick()
  const loading = deps.snapshot().complete ? undefined : deps.firstRound()
  if (loading === undefined) return copyOfRegistry(deps, filter)
  return loading.then(() => copyOfRegistry(deps, filter))
}

/** A provider's file as the origin serves it. Throws `not-found` for a name that is none, `registry-unavailable`. */
export async function currentFile(deps: CurrentDeps, provider: string): Promise<Copied> {
  if (!isProvider(provider)) throw unknownProvider(provider)
  return copyOfFile(deps, deps.providers[provider])
}

/** The manifest as the origin serves it. Throws `not-found` if the origin has none, `registry-unavailable`. */
export function manifest(deps: CurrentDeps): Promise<Copied> {
  return copyOfFile(deps, deps.manifest)
}

/** `not-found` for a path that names no provider. */
export function unknownProvider(name: string): AppError {
  return new AppError('not-found', `There is no provider '${name}' here; there are ${PROVIDER_NAMES.join(', ')}.`)
}

function copyOfRegistry(deps: CurrentDeps, filter: Filter): Copied {
  const snapshot = deps.snapshot()
  const { confirmedAt } = snapshot
  if (snapshot.files.length === 0 || confirmedAt === undefined) {
    throw unavailable(deps, 'The registry', Object.values(deps.providers))
  }
  return {
    rendered: deps.renderer.registry(snapshot, filter),
    freshness: freshnessOf(deps, confirmedAt, snapshot.complete),
  }
}

async function copyOfFile(deps: CurrentDeps, copy: Copy<RegistryFile>): Promise<Copied> {
  deps.tick()
  if (copy.state().file?.source !== 'origin') await deps.firstRound()
  const { file, confirmedAt, missing } = copy.state()
  if (file !== undefined && confirmedAt !== undefined) {
    return { rendered: deps.renderer.file(file), freshness: freshnessOf(deps, confirmedAt, file.source === 'origin') }
  }
  if (missing) throw new AppError('not-found', `The registry's origin has no ${copy.target.path}.`)
  throw unavailable(deps, `The registry's ${copy.target.path}`, [copy])
}

function freshnessOf(deps: CurrentDeps, confirmedAt: number, complete: boolean): Freshness {
  const ageSeconds = Math.max(0, Math.floor((deps.clock() - confirmedAt) / 1000))
  const maxAgeSeconds = Math.min(deps.cacheSeconds, REGISTRY_LIMITS.clientSecondsMax)
  return complete ? { kind: 'copy', ageSeconds, maxAgeSeconds } : { kind: 'incomplete', ageSeconds }
}

function unavailable(deps: CurrentDeps, what: string, copies: readonly Copy<RegistryFile>[]): AppError {
  const nextMs = Math.min(...copies.map((copy) => copy.state().dueAt)) - deps.clock()
  const isBundled = deps.snapshot().files.some(({ source }) => source === 'bundled')
  const elsewhere = isBundled ? ', nor is it in the bundled copy that serves meanwhile' : ''
  const detail = `${what} was never loaded: the origin did not answer, and no earlier copy is kept${elsewhere}. It is tried again.`
  return new AppError('registry-unavailable', detail, { retryAfterSeconds: Math.max(1, Math.ceil(nextMs / 1000)) })
}

export type PriceAnswer =
  | { readonly status: 'found'; readonly prices: Prices; readonly registryVersion: string }
  /** The registry knows no such model. `registryVersion` is null if it does not even know the provider. */
  | { readonly status: 'unknown_model'; readonly registryVersion: string | null }
  /** The provider's models were never loaded: no price can be known yet. */
  | { readonly status: 'no_registry' }

export type FindPriceDeps = { readonly file: (provider: ProviderName) => ProviderFile | undefined }

/** What a model costs now. Two look-ups in memory, no I/O. Names are read as `findModel` of core/pricing reads them. */
export function findPrice(deps: FindPriceDeps, provider: string, model: string): PriceAnswer {
  const name = providerName(provider)
  if (!isProvider(name)) return { status: 'unknown_model', registryVersion: null }
  const file = deps.file(name)
  if (file === undefined) return { status: 'no_registry' }
  const registryVersion = `${name}@${file.version}`
  const found = findModel(file.index, name, model)
  return found === undefined
    ? { status: 'unknown_model', registryVersion }
    : { status: 'found', prices: found.prices, registryVersion }
}
