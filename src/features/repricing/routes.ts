import { ADMINISTERS, type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { jsonResponse } from '../../http/response.js'
import type { Job } from './job.js'
import { REPRICE_LIMITS } from './limits.js'
import { renderJob } from './render-job.js'
import * as schema from './schema.js'
import type { StartInput } from './start-job.js'

export type RepricingVerbs = {
  readonly start: (input: StartInput) => Promise<Job>
  readonly list: (projectId: ProjectId) => Promise<readonly Job[]>
  /** Throws `not-found`. */
  readonly find: (projectId: ProjectId, id: string) => Promise<Job>
  /** Throws `not-found`. */
  readonly cancel: (projectId: ProjectId, id: string) => Promise<{ readonly cancelled: boolean; readonly job: Job }>
}

const BASE = '/api/v1/reprice'
const tag = 'Usage'

export function mountRepricing(app: App, guards: Guards, verbs: RepricingVerbs): void {
  mountStart(app, guards, verbs)
  mount(app, guards, {
    method: 'get',
    path: BASE,
    tag,
    operationId: 'listRepricings',
    summary: 'List repricings, newest first',
    access: READS,
    responses: { 200: { description: 'The last ones.', schema: schema.JobList } },
    handle: async ({ principal }) => jsonResponse({ jobs: (await verbs.list(principal.projectId)).map(renderJob) }),
  })
  mount(app, guards, {
    method: 'get',
    path: `${BASE}/{job_id}`,
    tag,
    operationId: 'getRepricing',
    summary: 'Show a repricing: how far it is, and what it found',
    access: READS,
    params: schema.JobPath,
    problems: ['not-found'],
    responses: { 200: { description: 'The repricing.', schema: schema.JobSchema } },
    handle: async ({ principal, params }) =>
      jsonResponse(renderJob(await verbs.find(principal.projectId, params.job_id))),
  })
  mount(app, guards, {
    method: 'delete',
    path: `${BASE}/{job_id}`,
    tag,
    operationId: 'cancelRepricing',
    summary: 'Cancel a repricing that is not over',
    description: 'What it changed so far stays changed.',
    access: ADMINISTERS,
    params: schema.JobPath,
    problems: ['not-found'],
    responses: { 200: { description: 'Whether it was not over.', schema: schema.Cancelled } },
    handle: async ({ principal, params }) => {
      const { cancelled, job } = await verbs.cancel(principal.projectId, params.job_id)
      return jsonResponse({ cancelled, job: renderJob(job) })
    },
  })
}

function mountStart(app: App, guards: Guards, verbs: RepricingVerbs): void {
  mount(app, guards, {
    method: 'post',
    path: BASE,
    tag,
    operationId: 'startRepricing',
    summary: 'Reprice what was recorded in a period',
    description:
      'In the background, one at a time in a project (409 meanwhile), and to its end whatever stops the service. A reported cost stays the cost, and so does one that a receipt certifies. Events keep what they were priced with before: `previous_cost` and `earlier_prices` in lists. Stats change with the events.',
    access: ADMINISTERS,
    problems: ['conflict', 'registry-unavailable', 'not-found'],
    body: schema.StartBody,
    bodyBytesMax: REPRICE_LIMITS.bodyBytesMax,
    bodyExample: { start: '2026-01-01', end: '2026-01-31', dry_run: true },
    responses: { 202: { description: 'It was started.', schema: schema.JobSchema } },
    handle: async ({ principal: { projectId, keyId }, body }) => {
      const { start, end, registry_version: version, dry_run: dryRun } = body
      const input = { projectId, keyId, start, end, registryVersion: version ?? null, dryRun }
      return jsonResponse(renderJob(await verbs.start(input)), 202)
    },
  })
}
