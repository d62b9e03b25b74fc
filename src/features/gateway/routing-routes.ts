import { type ProjectId, READS, WRITES } from '../../access/principal.js'
import type { Judgement } from '../../core/routing/index.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import type { Learned } from './judge/give-feedback.js'
import type { BackendShown } from './report-backends.js'
import { Backends, CallStats, FeedbackBody, LearnedBounds } from './routing-schema.js'
import type { GatewayStats } from './show-stats.js'

export type RoutingVerbs = {
  readonly feedback: (projectId: ProjectId, judgement: Judgement) => Promise<Learned>
  readonly backends: () => readonly BackendShown[]
  readonly stats: (projectId: ProjectId) => Promise<GatewayStats>
}

export function mountRouting(app: App, guards: Guards, verbs: RoutingVerbs): void {
  mountFeedback(app, guards, verbs)
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

/** Lets callers judge answers. */
function mountFeedback(app: App, guards: Guards, verbs: Pick<RoutingVerbs, 'feedback'>): void {
  mount(app, guards, {
    method: 'post',
    path: '/v1/feedback',
    tag: 'Gateway',
    operationId: 'giveFeedback',
    summary: 'Judge an answer, so that later requests find the right tier',
    description:
      "Moves the project's threshold by at most 0.02, and with it where the tiers end: a good answer of tier 1 lets it answer harder prompts, a bad one of tier 1 or 2 leaves it fewer. It is kept with the project, in the database.",
    access: WRITES,
    body: FeedbackBody,
    bodyExample: { score: 0.25, tier: 1, quality: 0.9 },
    responses: { 200: { description: 'Where the tiers end now.', schema: LearnedBounds } },
    handle: async ({ principal, body }) => jsonResponse(await verbs.feedback(principal.projectId, body)),
  })
}
