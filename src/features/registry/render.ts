import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { IndexedModel } from '../../core/pricing/index.js'
import type { RegistrySnapshot } from './copies.js'
import { REGISTRY_LIMITS } from './limits.js'
import { isProvider, PROVIDER_NAMES, PROVIDERS, type ProviderName } from './providers.js'
import type { FileSource, ProviderFile, RegistryFile } from './registry-file.js'

/**
 * Which models are asked for: of any of these providers, with all of these capabilities. Sorted, without repetition.
 */
export type Filter = {
  readonly providers?: readonly string[] | undefined
  readonly capabilities?: readonly string[] | undefined
}

/** A body that exists already, its strong validator, and where it is from: `bundled` as soon as a part of it is. */
export type Rendered = {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly etag: string
  readonly source: FileSource
}

type Parts = Pick<RegistrySnapshot, 'files' | 'warnings'>

/** `anthropic@9+google@5+openai@7`: it changes when a provider's version does, and `?version=` takes it back. */
function versionOf(files: readonly ProviderFile[]): string {
  return files.map(({ provider, version }) => `${provider}@${version}`).join('+')
}

/**
 * The registry as clients know it. The bytes depend on the files, the filter and the warnings alone, so every instance
 * gives the same ones. `version` and `generated_at` are those of the files that the filter lets in (of all, if it
 * lets none in), so a filtered registry does not change when only others do.
 */
export function renderRegistry(parts: Parts, filter: Filter): Rendered {
  const files = parts.files.filter(({ provider }) => includesProvider(filter, provider))
  const models = files.flatMap(({ index }) =>
    [...index.byKey.values()].filter((model) => hasCapabilities(filter, model)),
  )
  const warnings = [
    ...parts.warnings.filter(({ provider }) => includesProvider(filter, provider)).map(({ text }) => text),
    ...unknownFilterValues(filter, parts.files),
  ]
  const named = files.length === 0 ? parts.files : files
  const registry = {
    version: versionOf(named),
    generated_at: generatedAt(named),
    models: Object.fromEntries(models.map(({ key, fields }) => [key, fields])),
    providers: PROVIDERS,
    ...(warnings.length === 0 ? {} : { warnings }),
  }
  const source = named.some((file) => file.source === 'bundled') ? 'bundled' : 'origin'
  return withEtag(new TextEncoder().encode(JSON.stringify(registry)), source)
}

/** A document that depends on nothing but what is in it. */
export function renderJson(value: object, source: FileSource): Rendered {
  return withEtag(new TextEncoder().encode(JSON.stringify(value)), source)
}

/** The body with an ETag (RFC 9110, 8.8.3) that is a hash of it. */
function withEtag(bytes: Uint8Array<ArrayBuffer>, source: FileSource): Rendered {
  return { bytes, source, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` }
}

/** The newest `updated_at` of the files, in UTC; the epoch if none of them says when it was made. */
function generatedAt(files: readonly ProviderFile[]): string {
  return new Date(Math.max(0, ...files.map(({ updatedAt }) => updatedAt ?? 0))).toISOString()
}

/** What is rendered, made once per content and filter. */
export type Renderer = {
  registry(parts: Parts, filter: Filter): Rendered
  /** A file's own bytes. */
  file(file: RegistryFile): Rendered
}

/** They are keyed by what is in them, so current and archived ones share one bounded store and none goes stale. */
export function createRenderer(): Renderer {
  const rendered = new LRUCache<string, Rendered>({
    max: REGISTRY_LIMITS.renderedMax,
    maxSize: REGISTRY_LIMITS.renderedBytesMax,
    sizeCalculation: ({ bytes }) => bytes.byteLength,
  })
  const keys = new WeakMap<Parts, string>()
  const keyOf = (parts: Parts): string => {
    let key = keys.get(parts)
    if (key === undefined) {
      key = JSON.stringify([parts.files.map(({ sha256 }) => sha256), parts.warnings])
      keys.set(parts, key)
    }
    return key
  }
  const files = new WeakMap<RegistryFile, Rendered>()
  // The same parts and the same filter, again and again, is what most readers ask for: the key need not be made.
  let last: { readonly parts: Parts; readonly filter: Filter; readonly response: Rendered } | undefined
  return {
    file: (file) => {
      const response = files.get(file) ?? withEtag(file.bytes, file.source)
      files.set(file, response)
      return response
    },
    registry: (parts, filter) => {
      if (last?.parts === parts && last.filter === filter) return last.response
      const key = `${keyOf(parts)}${filterKey(filter)}`
      let response = rendered.get(key)
      if (response === undefined) {
        response = renderRegistry(parts, filter)
        rendered.set(key, response)
      }
      last = { parts, filter, response }
      return response
    },
  }
}

/** Equal filters have equal keys. */
function filterKey(filter: Filter): string {
  return `${filter.providers?.join(',') ?? '*'}|${filter.capabilities?.join(',') ?? '*'}`
}

function includesProvider(filter: Filter, provider: ProviderName): boolean {
  return filter.providers === undefined || filter.providers.includes(provider)
}

/** `vision` means the field `supports_vision`; the whole name of any boolean field works, too (`is_active`). */
function hasCapabilities(filter: Filter, model: IndexedModel): boolean {
  return filter.capabilities?.every((name) => fieldsNamed(name).some((field) => model.fields[field] === true)) ?? true
}

/** What the filter asks for that nothing has: it matches nothing, as it always did, and a warning says so. */
function unknownFilterValues(filter: Filter, files: readonly ProviderFile[]): string[] {
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
