import { type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import type { BackendShown } from './report-backends.js'
import { Backends, CallStats } from './routing-schema.js'
import type { GatewayStats } from './show-stats.js'

export type RoutingVerbs = {
  readonly backends: () => readonly BackendShown[]
  readonly stats: (projectId: ProjectId) => Promise<GatewayStats>
}

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
  mount(app, guards, {
    method: 'get',
    path: '/stats',
    tag: 'Gateway',
    operationId: 'getCallStats',
    summary: 'What calls through the gateway cost, and what routing saved',
    description:
      'Of the last 30 days. Saved is what the dearest candidate of each call would have cost, by the prices of the configuration, less what was paid; a cache hit saves all of it.',
    access: READS,
    turns: 'read',
    responses: { 200: { description: "The project's sums, from one snapshot.", schema: CallStats } },
    handle: async ({ principal }) => jsonResponse(await verbs.stats(principal.projectId)),
  })
}
