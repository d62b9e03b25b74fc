import { PUBLIC } from '../../access/principal.js'
import { respond } from '../../http/answer.js'
import { type App, type DeclaredAnswer, type Endpoint, type Guards, mount } from '../../http/endpoint.js'
import { matchesEtag } from '../../http/etag.js'
import type { Warm, WarmResponse } from '../../http/warm-lane.js'
import type { ArchivedAnswer, Pin } from './archived-registry.js'
import type { Copied } from './current-registry.js'
import type { Filter } from './filter.js'
import { type Freshness, isSameFreshness, keptResponse } from './kept-response.js'
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
  readonly archivedRegistry: (pin: Pin, filter: Filter) => Promise<ArchivedAnswer>
  readonly currentFile: (provider: string) => Promise<Copied>
  readonly manifest: () => Promise<Copied>
  readonly archivedFile: (provider: string, version: number) => Promise<ArchivedAnswer>
}

/** An archived answer that may still change (a provider has not come so far) is asked for again after a minute. */
const UNSETTLED: Freshness = { kind: 'copy', ageSeconds: 0, maxAgeSeconds: 60 }

const freshnessOf = ({ immutable }: ArchivedAnswer): Freshness => (immutable ? { kind: 'immutable' } : UNSETTLED)

const NOT_MODIFIED = { description: 'The client has it already (`If-None-Match`).' }

const found = (answer: DeclaredAnswer) => ({ 200: answer, 304: NOT_MODIFIED })

/** One object, so that what was made for it is found again without a look into it. */
const WHOLE: Filter = {}

const COMMON = { method: 'get', tag: 'Registry', access: PUBLIC } as const

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
    answers: found({ description: 'The registry.', schema: RegistrySchema, example: REGISTRY_EXAMPLE }),
    problems: ['registry-unavailable', 'not-found'],
    warm: warmRegistry(() => verbs.currentRegistry(WHOLE)),
    handle: ({ query, header }) => {
      const { version, ...filter } = query
      if (version !== undefined) {
        return verbs
          .archivedRegistry(version, filter)
          .then((answer) => respond(keptResponse(answer, freshnessOf(answer), header('if-none-match'))))
      }
      const current = verbs.currentRegistry(filter)
      if (current instanceof Promise) return current.then((copied) => answerWith(copied, header))
      return answerWith(current, header)
    },
  }
}

/** The whole registry, as the lane answers it. Both responses are made anew when the content or its age in seconds changes. */
function warmRegistry(currentRegistry: () => Copied | Promise<Copied>): Warm {
  let made: { readonly from: Copied; readonly full: WarmResponse; readonly unchanged: WarmResponse } | undefined
  return ({ query, ifNoneMatch }) => {
    const current = query === '' ? currentRegistry() : undefined
    if (current === undefined || current instanceof Promise) return undefined
    const { rendered, freshness } = current
    if (made === undefined || !isSameCopy(made.from, current)) {
      made = {
        from: current,
        full: keptResponse(rendered, freshness, undefined),
        unchanged: keptResponse(rendered, freshness, rendered.etag),
      }
    }
    return matchesEtag(ifNoneMatch, rendered.etag) ? made.unchanged : made.full
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
    answers: found({ description: 'The registry as it was.', schema: RegistrySchema, example: REGISTRY_EXAMPLE }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ params, header }) => {
      const answer = await verbs.archivedRegistry({ kind: 'number', version: params.n }, {})
      return respond(keptResponse(answer, freshnessOf(answer), header('if-none-match')))
    },
  })
}

function mountFiles(app: App, guards: Guards, verbs: RegistryVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/registry/manifest.json',
    operationId: 'getRegistryManifest',
    summary: "The origin's manifest, byte for byte",
    answers: found({ description: 'The manifest.', schema: ManifestSchema }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ header }) => answerWith(await verbs.manifest(), header),
  })
  mount(app, guards, {
    ...COMMON,
    path: '/registry/{provider}/models.json',
    operationId: 'getProviderModels',
    summary: "A provider's current file, byte for byte",
    params: ProviderParams,
    answers: found({ description: 'The file.', schema: ProviderFileSchema }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ params, header }) => answerWith(await verbs.currentFile(params.provider), header),
  })
  mount(app, guards, {
    ...COMMON,
    path: '/registry/{provider}/v/{n}/models.json',
    operationId: 'getArchivedProviderModels',
    summary: "A provider's archived file, byte for byte",
    params: ProviderArchiveParams,
    answers: found({ description: 'The file.', schema: ProviderFileSchema }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ params, header }) => {
      const answer = await verbs.archivedFile(params.provider, params.n)
      return respond(keptResponse(answer, freshnessOf(answer), header('if-none-match')))
    },
  })
}

function answerWith(copied: Copied, header: (name: string) => string | undefined): Response {
  return respond(keptResponse(copied.rendered, copied.freshness, header('if-none-match')))
}
