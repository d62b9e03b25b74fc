import { READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import type { BackendShown } from './report-backends.js'
import { Backends } from './routing-schema.js'

export type RoutingVerbs = { readonly backends: () => readonly BackendShown[] }

export function mountRouting(app: App, guards: Guards, verbs: RoutingVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/v1/backends',
    tag: 'Gateway',
    operationId: 'listBackends',
    summary: 'How the configured backends are',
    description:
      'As this instance knows them: who is healthy, how many calls are under way there, how fast they began to answer of late, and why one is not called: its breaker is open, or it asked for a pause.',
    access: READS,
    responses: { 200: { description: 'In the order of the configuration.', schema: Backends } },
    handle: () => jsonResponse(verbs.backends()),
  })
}
