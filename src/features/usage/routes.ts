import { type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { plainBytes } from '../../http/response.js'
import type { StatsInput } from './compute-stats.js'
import { type LogVerbs, mountBatch, mountLog } from './log-routes.js'
import * as schema from './schema.js'

export type UsageVerbs = LogVerbs & {
  readonly stats: (projectId: ProjectId, input: StatsInput) => Promise<Uint8Array<ArrayBuffer>>
}

const tag = 'Usage'

export function mountUsage(app: App, guards: Guards, verbs: UsageVerbs): void {
  mountLog(app, guards, verbs)
  mountBatch(app, guards, verbs)
  mountStats(app, guards, verbs)
}

function mountStats(app: App, guards: Guards, verbs: UsageVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/api/v1/stats',
    tag,
    operationId: 'getUsageStats',
    summary: 'What was used and what it cost',
    description:
      'Of the last 30 days if no period is given. Costs are exact sums. Hours, days, weeks and months are those of `tz`.',
    access: READS,
    turns: 'read',
    query: schema.StatsQuery,
    responses: { 200: { description: 'The sums of the period, from one snapshot.', schema: schema.Stats } },
    handle: async ({ principal, query: { start_date: start, end_date: end, group_by: groupBy, tz: zone } }) =>
      plainBytes(await verbs.stats(principal.projectId, { period: { start, end }, groupBy, zone })),
  })
}
