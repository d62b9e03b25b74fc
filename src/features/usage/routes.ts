import { type ProjectId, READS } from '../../access/principal.js'
import { type App, type Guards, mount } from '../../http/endpoint.js'
import { JSON_TYPE, plainBytes } from '../../http/response.js'
import { type LogVerbs, mountBatch, mountLog } from './record/log-routes.js'
import type { StatsInput } from './stats/compute-stats.js'
import { StatsAnswer, StatsQuery } from './stats/stats-schema.js'

export type UsageVerbs = LogVerbs & {
  readonly stats: (projectId: ProjectId, input: StatsInput) => Promise<Uint8Array<ArrayBuffer>>
}

const tag = 'Usage'
const TYPES = { json: JSON_TYPE, rows: JSON_TYPE, csv: 'text/csv; charset=utf-8' } as const

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
    query: StatsQuery,
    responses: {
      200: {
        description: 'The sums of the period, from one snapshot.',
        schema: StatsAnswer,
        contentType: [JSON_TYPE, 'text/csv'],
      },
    },
    handle: async ({ principal, query }) => {
      const { start_date: start, end_date: end, group_by: groupBy, tz, by, format, formulas } = query
      const input = {
        period: { start, end },
        groupBy,
        zone: tz,
        by,
        format,
        escapeFormulas: formulas === 'escape',
        withLatencies: query.latency === 'true',
        withBudgets: query.budgets === 'true',
      }
      return plainBytes(await verbs.stats(principal.projectId, input), { 'Content-Type': TYPES[format] })
    },
  })
}
