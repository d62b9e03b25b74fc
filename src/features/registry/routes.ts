import { PUBLIC } from '../../access/principal.js'
import type { DeclaredResponse, Endpoint } from '../../http/declaration.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { matchesEtag } from '../../http/etag.js'
import type { Warm, WarmResponse } from '../../http/listen/warm-lane.js'
import { JSON_TYPE, respond } from '../../http/response.js'
import type { Pin } from './archived-registry.js'
import type { Copied, Freshness } from './current-registry.js'
import type { Filter } from './render.js'
import {
  ArchiveParams,
  ManifestSchema,
  ProviderArchiveParams,
  ProviderFileSchema,
  ProviderParams,
  REGISTRY_EXAMPLE,
  RegistryQuery,
  RegistrySchema,
} from './schema.js'

export type RegistryVerbs = {
  readonly currentRegistry: (filter: Filter) => Copied | Promise<Copied>
  readonly archivedRegistry: (pin: Pin, filter: Filter) => Promise<Copied>
  readonly currentFile: (provider: string) => Promise<Copied>
  readonly manifest: () => Promise<Copied>
  readonly archivedFile: (provider: string, version: number) => Promise<Copied>
}

const NOT_MODIFIED = { description: 'The client has it already (`If-None-Match`).' }

export const found = (answer: DeclaredResponse) => ({ 200: answer, 304: NOT_MODIFIED })

/** One object, so that what was made for it is found again without a look into it. */
const WHOLE: Filter = {}

export const COMMON = { method: 'get', tag: 'Registry', access: PUBLIC } as const

/** Declares the routes of the registry. All are public, and all answers carry a strong ETag. */
export function mountRegistry(app: App, guards: Guards, verbs: RegistryVerbs): void {
  for (const path of ['/registry', '/registry.json']) mount(app, guards, registryEndpoint(path, verbs))
  mountArchivedRegistry(app, guards, verbs)
  mountFiles(app, guards, verbs)
}

type RegistryQueryValues = Filter & { readonly version?: Pin | undefined }

function registryEndpoint(path: string, verbs: RegistryVerbs): Endpoint<unknown, RegistryQueryValues, unknown> {
  return {
    ...COMMON,
    path,
    operationId: path.endsWith('.json') ? 'getRegistryJson' : 'getRegistry',
    summary: 'The models of all providers, with their prices',
    query: RegistryQuery,
    responses: found({ description: 'The registry.', schema: RegistrySchema, example: REGISTRY_EXAMPLE }),
    problems: ['registry-unavailable', 'not-found'],
    warm: warmRegistry(() => verbs.currentRegistry(WHOLE)),
    handle: ({ query, header }) => {
      const { version, ...filter } = query
      if (version !== undefined) {
        return verbs.archivedRegistry(version, filter).then((copied) => respondWith(copied, header))
      }
      const current = verbs.currentRegistry(filter)
      if (current instanceof Promise) return current.then((copied) => respondWith(copied, header))
      return respondWith(current, header)
    },
  }
}

/**
 * The whole registry, as the lane answers it. Both responses are made anew when the content or its age in seconds
 * changes.
 */
function warmRegistry(currentRegistry: () => Copied | Promise<Copied>): Warm {
  let made: { readonly from: Copied; readonly full: WarmResponse; readonly unchanged: WarmResponse } | undefined
  return ({ query, ifNoneMatch }) => {
    const current = query === '' ? currentRegistry() : undefined
    if (current === undefined || current instanceof Promise) return undefined
    if (made === undefined || !isSameCopy(made.from, current)) {
      made = {
        from: current,
        full: keptResponse(current, undefined),
        unchanged: keptResponse(current, current.rendered.etag),
      }
    }
    return matchesEtag(ifNoneMatch, current.rendered.etag) ? made.unchanged : made.full
  }
}

function isSameCopy(one: Copied, other: Copied): boolean {
  return one.rendered === other.rendered && isSameFreshness(one.freshness, other.freshness)
}

function mountArchivedRegistry(app: App, guards: Guards, verbs: RegistryVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/registry/v/{n}/registry.json',
    operationId: 'getArchivedRegistry',
    summary: 'An archived version, of every provider that has it',
    params: ArchiveParams,
    responses: found({ description: 'The registry as it was.', schema: RegistrySchema, example: REGISTRY_EXAMPLE }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ params, header }) =>
      respondWith(await verbs.archivedRegistry({ kind: 'number', version: params.n }, {}), header),
  })
}

function mountFiles(app: App, guards: Guards, verbs: RegistryVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/registry/manifest.json',
    operationId: 'getRegistryManifest',
    summary: "The origin's manifest, byte for byte",
    responses: found({ description: 'The manifest.', schema: ManifestSchema }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ header }) => respondWith(await verbs.manifest(), header),
  })
  mount(app, guards, {
    ...COMMON,
    path: '/registry/{provider}/models.json',
    operationId: 'getProviderModels',
    summary: "A provider's current file, byte for byte",
    params: ProviderParams,
    responses: found({ description: 'The file.', schema: ProviderFileSchema }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ params, header }) => respondWith(await verbs.currentFile(params.provider), header),
  })
  mount(app, guards, {
    ...COMMON,
    path: '/registry/{provider}/v/{n}/models.json',
    operationId: 'getArchivedProviderModels',
    summary: "A provider's archived file, byte for byte",
    params: ProviderArchiveParams,
    responses: found({ description: 'The file.', schema: ProviderFileSchema }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ params, header }) => respondWith(await verbs.archivedFile(params.provider, params.n), header),
  })
}

export function respondWith(copied: Copied, header: (name: string) => string | undefined): Response {
  return respond(keptResponse(copied, header('if-none-match')))
}

const IMMUTABLE = 'public, max-age=31536000, immutable'

/**
 * A body that clients and proxies may keep, or 304 with the same ETag and Cache-Control if they have it already.
 * `Age` counts against `max-age` (RFC 9111, 4.2), so a copy is fresh out there as long as it is in here.
 */
function keptResponse({ rendered, freshness }: Copied, ifNoneMatch: string | undefined): WarmResponse {
  const headers: Record<string, string> = {
    ETag: rendered.etag,
    'Cache-Control': cacheControl(freshness),
    'X-Registry-Source': rendered.source,
  }
  if (freshness.kind !== 'immutable') headers['Age'] = String(freshness.ageSeconds)
  if (matchesEtag(ifNoneMatch, rendered.etag)) return { status: 304, headers, body: null }
  headers['Content-Type'] = JSON_TYPE
  headers['Content-Length'] = String(rendered.bytes.byteLength)
  return { status: 200, headers, body: rendered.bytes }
}

function isSameFreshness(one: Freshness, other: Freshness): boolean {
  if (one.kind === 'immutable' || other.kind === 'immutable') return one.kind === other.kind
  return cacheControl(one) === cacheControl(other) && one.ageSeconds === other.ageSeconds
}

function cacheControl(freshness: Freshness): string {
  if (freshness.kind === 'immutable') return IMMUTABLE
  return freshness.kind === 'incomplete' ? 'public, no-cache' : `public, max-age=${freshness.maxAgeSeconds}`
}
