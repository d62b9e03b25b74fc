import { indexModels, type ModelIndex } from '../../core/pricing/index.js'
import type { RegistryFacts } from '../../core/routing/index.js'
import { AliasError } from '../alias-error.js'
import { CLIENT_LIMITS } from '../limits.js'

/** A provider's models as the registry's file has them (parsed JSON); undefined if it has no such provider. */
export type LoadModels = (provider: string) => Promise<unknown>

export type Registry = {
  /** The facts of these providers. Throws `registry-unavailable` if those of one were never loaded and cannot be now. */
  facts(providers: readonly string[]): Promise<RegistryFacts>
}

export const PUBLIC_REGISTRY = 'https://llmring.github.io/registry/'

/** Loads from a registry's address: the public one, a server's `/registry/`, or a copy with the same layout. */
export function loadFrom(address: string, fetch: typeof globalThis.fetch = globalThis.fetch): LoadModels {
  const base = address.endsWith('/') ? address : `${address}/`
  return async (provider) => {
    const url = new URL(`${encodeURIComponent(provider)}/models.json`, base)
    const response = await fetch(url, { signal: AbortSignal.timeout(CLIENT_LIMITS.requestMsMax) })
    if (response.status === 404) return undefined
    if (!response.ok) throw new Error(`status ${response.status}`)
    return response.json()
  }
}

type Known = { readonly index: ModelIndex | undefined; readonly until: number }

/** Models by provider, asked for when they are first needed, and again after an hour; what was known serves meanwhile. */
export function createRegistry(load: LoadModels): Registry {
  const known = new Map<string, Known>()
  const ask = async (provider: string): Promise<Known> => {
    const last = known.get(provider)
    if (last !== undefined && Date.now() < last.until) return last
    const found = await load(provider).then(
      (file): Known => ({ index: indexOf(provider, file), until: Date.now() + CLIENT_LIMITS.registryMsMax }),
      (cause: unknown): Known => {
        if (last !== undefined) return { ...last, until: Date.now() + CLIENT_LIMITS.registryRetryMs }
        const message = `The registry cannot be read, which is needed for '${provider}:*'.`
        throw new AliasError('registry-unavailable', message, { cause })
      },
    )
    known.set(provider, found)
    return found
  }
  return {
    facts: async (providers) => {
      const names = [...new Set(providers.map((provider) => provider.toLowerCase()))]
      const found = new Map(await Promise.all(names.map(async (name) => [name, (await ask(name)).index] as const)))
      return (provider) => found.get(provider)
    },
  }
}

function indexOf(provider: string, file: unknown): ModelIndex | undefined {
  if (file === undefined) return undefined
  const indexed = indexModels(file)
  if (!indexed.ok || indexed.index.provider !== provider)
    throw new Error(`no file of ${provider}: ${JSON.stringify(indexed)}`)
  return indexed.index
}
