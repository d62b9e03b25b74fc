import { type App, type Guards, mount } from '../../http/endpoint.js'
import type { Copied } from './current-registry.js'
import { DiffQuery, PricesParams, RegistryDiff, RegistryPrices } from './price-schema.js'
import type { DiffInput } from './registry-diff.js'
import { COMMON, found, respondWith } from './routes.js'

export type PriceVerbs = {
  readonly diff: (input: DiffInput) => Promise<Copied>
  readonly prices: (provider: string, model: string) => Promise<Copied>
}

/** How prices changed: between two versions, and over all that were seen here. Public, with a strong ETag. */
export function mountPrices(app: App, guards: Guards, verbs: PriceVerbs): void {
  mount(app, guards, {
    ...COMMON,
    path: '/registry/diff',
    operationId: 'diffRegistry',
    summary: "What changed between two versions of a provider's file",
    query: DiffQuery,
    responses: found({ description: 'Models and fields.', schema: RegistryDiff }),
    problems: ['registry-unavailable', 'not-found'],
    handle: async ({ query: { provider, from, to }, header }) =>
      respondWith(await verbs.diff({ provider, from, to }), header),
  })
  mount(app, guards, {
    ...COMMON,
    path: '/registry/prices/{provider}/{model}',
    operationId: 'listPrices',
    summary: 'Every price that a model had, and since when',
    description:
      'Of the versions that this installation fetched, imported or took from the archives (`llmring-server registry backfill`).',
    params: PricesParams,
    responses: found({ description: 'Its prices.', schema: RegistryPrices }),
    problems: ['registry-unavailable', 'database-unavailable', 'not-found'],
    handle: async ({ params: { provider, model }, header }) => respondWith(await verbs.prices(provider, model), header),
  })
}
