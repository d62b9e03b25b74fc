import type { ProjectId } from '../../../access/principal.js'
import type { Sql } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'

/** What the calls of one model, or all of them (`name` is null), cost, in USD with 12 places, and what routing saved. */
export type GatewaySum = {
  readonly name: string | null
  readonly requests: number
  readonly spent: string
  readonly saved: string
}

/**
 * Sums of a project's calls through the gateway since then: all of them first, then by model, those with the most calls
 * first. A row's metadata may have been written by a client, so what it says of a saving counts only if it is a decimal.
 */
export function sumGatewayCalls(sql: Sql, projectId: ProjectId, sinceMs: number): Promise<GatewaySum[]> {
  return sql<GatewaySum[]>`
    select case when grouping(provider, model) = 0 then provider || ':' || model end as name,
      count(*)::float8 as requests, coalesce(sum(cost), 0)::numeric(40, 12)::text as spent,
      coalesce(sum(case when metadata->>'saved_cost' ~ '^[0-9]{1,12}([.][0-9]{1,12})?$'
        then (metadata->>'saved_cost')::numeric(30, 12) end), 0)::numeric(40, 12)::text as saved
    from usage_logs
    where project_id = ${projectId} and origin = 'gateway' and logged_at >= to_timestamp(${sinceMs}::float8 / 1000)
    group by grouping sets ((), (provider, model))
    order by grouping(provider, model) desc, count(*) desc, name limit ${USAGE_LIMITS.statsNamesMax + 1}`
}
