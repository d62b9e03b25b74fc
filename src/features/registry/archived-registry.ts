import { AppError } from '../../platform/errors.js'
import type { ArchivedFile, Archives } from './archives.js'
import { type Copied, type Freshness, unknownProvider } from './current-registry.js'
import { isProvider, PROVIDER_NAMES, type ProviderName } from './providers.js'
import type { Filter, Renderer } from './render.js'

/** The same version number of every provider that has it, or one version of each of some providers. */
export type Pin =
  | { readonly kind: 'number'; readonly version: number }
  | { readonly kind: 'versions'; readonly versions: ReadonlyMap<ProviderName, number> }

/** The response to this request can never become another one. */
const IMMUTABLE: Freshness = { kind: 'immutable' }

/** An archived response that may still change (a provider has not come so far) is asked for again after a minute. */
const UNSETTLED: Freshness = { kind: 'copy', ageSeconds: 0, maxAgeSeconds: 60 }

export type ArchivedRegistryDeps = {
  readonly find: Archives['find']
  readonly renderer: Renderer
  readonly newestVersion: (provider: ProviderName) => number | undefined
}

/**
 * The registry as it was. Throws `not-found` if no provider has the number (or one lacks its pinned version) and
 * `registry-unavailable` if a provider's version cannot be had now: a part of the registry is none.
 */
export async function archivedRegistry(deps: ArchivedRegistryDeps, pin: Pin, filter: Filter): Promise<Copied> {
  const wanted = PROVIDER_NAMES.flatMap((provider) => {
    const version = pin.kind === 'number' ? pin.version : pin.versions.get(provider)
    return version === undefined ? [] : [{ provider, version }]
  })
  const found = await Promise.all(
    wanted.map(async (one) => ({ ...one, copy: await deps.find(one.provider, one.version) })),
  )
  const files = found.flatMap(({ copy }) => copy?.file ?? [])
  const lacking = found.find(({ copy }) => copy === undefined)
  if (files.length === 0 || (pin.kind === 'versions' && lacking !== undefined)) {
    const what = pin.kind === 'number' ? 'No provider' : `${lacking?.provider ?? 'The registry'}`
    throw new AppError('not-found', `${what} has no version ${lacking?.version ?? ''}.`)
  }
  const rendered = deps.renderer.registry({ files, warnings: [] }, filter)
  return { rendered, freshness: found.every((one) => isFinal(deps, one)) ? IMMUTABLE : UNSETTLED }
}

/** A provider's archived file as the origin serves it. Throws `not-found`, `registry-unavailable`. */
export async function archivedFile(
  deps: Pick<ArchivedRegistryDeps, 'find' | 'renderer'>,
  provider: string,
  version: number,
): Promise<Copied> {
  if (!isProvider(provider)) throw unknownProvider(provider)
  const found = await deps.find(provider, version)
  if (found === undefined) throw new AppError('not-found', `${provider} has no version ${version}.`)
  return { rendered: deps.renderer.file(found.file), freshness: found.archived ? IMMUTABLE : UNSETTLED }
}

type Found = { readonly provider: ProviderName; readonly version: number; readonly copy: ArchivedFile | undefined }

/** An archived file is final. A missing one is final only once its provider has gone past that version. */
function isFinal(deps: ArchivedRegistryDeps, { provider, version, copy }: Found): boolean {
  if (copy !== undefined) return copy.archived
  return (deps.newestVersion(provider) ?? 0) > version
}
