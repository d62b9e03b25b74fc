import type { IndexedModel } from '../../core/pricing/index.js'
import { isProvider, PROVIDER_NAMES, type ProviderName } from './providers.js'
import type { ProviderFile } from './registry-file.js'

/** Which models are asked for: of any of these providers, with all of these capabilities. Sorted, without repetition. */
export type Filter = {
  readonly providers?: readonly string[] | undefined
  readonly capabilities?: readonly string[] | undefined
}

/** Equal filters have equal keys. */
export function filterKey(filter: Filter): string {
  return `${filter.providers?.join(',') ?? '*'}|${filter.capabilities?.join(',') ?? '*'}`
}

export function includesProvider(filter: Filter, provider: ProviderName): boolean {
  return filter.providers === undefined || filter.providers.includes(provider)
}

/** `vision` means the field `supports_vision`; the whole name of any boolean field works, too (`is_active`). */
export function hasCapabilities(filter: Filter, model: IndexedModel): boolean {
  return filter.capabilities?.every((name) => fieldsNamed(name).some((field) => model.fields[field] === true)) ?? true
}

/** What the filter asks for that nothing has: it matches nothing, as it always did, and the answer says so. */
export function unknownFilterValues(filter: Filter, files: readonly ProviderFile[]): string[] {
  const providers = (filter.providers ?? []).filter((name) => !isProvider(name))
  const capabilities = (filter.capabilities ?? []).filter((name) => !files.some((file) => knows(file, name)))
  return [
    ...providers.map((name) => `providers: '${name}' is unknown; this registry has ${PROVIDER_NAMES.join(', ')}.`),
    ...capabilities.map((name) => `capabilities: no model has a boolean field 'supports_${name}' or '${name}'.`),
  ]
}

function knows(file: ProviderFile, capability: string): boolean {
  const fields = fieldsNamed(capability)
  for (const model of file.index.byKey.values()) {
    if (fields.some((field) => typeof model.fields[field] === 'boolean')) return true
  }
  return false
}

const fieldsNamed = (capability: string) => [`supports_${capability}`, capability] as const
