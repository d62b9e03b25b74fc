import { findModel, type Prices, providerName } from '../../core/pricing/index.js'
import { isProvider, type ProviderName } from './providers.js'
import type { ProviderFile } from './registry-file.js'

export type PriceAnswer =
  | { readonly status: 'found'; readonly prices: Prices; readonly registryVersion: string }
  /** The registry knows no such model. `registryVersion` is null where it does not even know the provider. */
  | { readonly status: 'unknown_model'; readonly registryVersion: string | null }
  /** The provider's models were never loaded: nobody can say yet. */
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
