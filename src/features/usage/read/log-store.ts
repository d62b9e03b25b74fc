import type postgres from 'postgres'
import type { ProjectId } from '../../../access/principal.js'
import type { Sql } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import type { LogPosition, StoredUsage } from '../store.js'
import { FILTER_NAMES, type LogFilter } from './log-filter.js'

/** What repricing writes. */
export type LaterName = 'earlierPrices' | 'repriced'

/** An event as it is listed: its JSON columns are texts that nothing has to read on their way out. */
export type ListedUsage = Omit<StoredUsage, 'projectId' | 'keyId' | 'unitPrices' | 'metadata' | LaterName> & {
  readonly unitPrices: string | null
  readonly metadata: string | null
  readonly earlierPrices: string | null
  /** US dollars with 12 places. */
  readonly previousCost: string | null
  readonly repricedCost: string | null
}
export type LogQuery = {
  readonly period: Period
  readonly filter: LogFilter
  readonly rowsMax: number
  /** Rows to skip, or the row to go on behind. */
  readonly from: { readonly offset: number } | { readonly behind: LogPosition }
}
/** `isLast`: all rows that were asked for are here, or there are no more of them. */
export type LogPage = { readonly rows: readonly ListedUsage[]; readonly isLast: boolean }
export type ReadLogPage = (projectId: ProjectId, query: LogQuery) => Promise<LogPage>

export type ReadExportPage = (projectId: ProjectId, after: LogPosition | null, rowsMax: number) => Promise<LogPage>

/** Newest first; ids settle the order within a millisecond. */
export function createLogPages(sql: Sql): ReadLogPage {
  return (projectId, { period, filter, rowsMax, from }) => {
    const conditions = sql`logged_at >= to_timestamp(${period.fromMs}::float8 / 1000)
      and logged_at < to_timestamp(${period.untilMs}::float8 / 1000)
      ${matching(sql, filter)}
      ${'behind' in from ? sql`and (logged_at, id) < (${from.behind.loggedAt}::text::timestamptz, ${from.behind.id}::uuid)` : sql``}`
    const offset = 'offset' in from ? from.offset : 0
    return readPage(sql, projectId, { conditions, order: sql`logged_at desc, id desc`, rowsMax, offset })
  }
}

/** The conditions of a filter, each behind an `and`. */
export function matching(sql: Sql, filter: LogFilter): Fragment[] {
  const given = FILTER_NAMES.filter((name) => filter[name] !== undefined)
  return [sql``, ...given.map((name) => sql`and ${sql(name)} = ${filter[name] ?? ''}`)]
}

/** Oldest first, after a position: no page skips or repeats a row that was there before the first one. */
export function createExportPages(sql: Sql): ReadExportPage {
  return (projectId, after, rowsMax) => {
    const conditions =
      after === null ? sql`true` : sql`(logged_at, id) > (${after.loggedAt}::text::timestamptz, ${after.id}::uuid)`
    return readPage(sql, projectId, { conditions, order: sql`logged_at, id`, rowsMax, offset: 0 })
  }
}

type Fragment = postgres.PendingQuery<postgres.Row[]>
type Slice = {
  readonly conditions: Fragment
  readonly order: Fragment
  readonly rowsMax: number
  readonly offset: number
}

/**
 * At most `rowsMax` rows and one page's bytes (but one row at least). Sizes are measured where the rows are, so that
 * what does not fit is not sent here.
 */
async function readPage(
  sql: Sql,
  projectId: ProjectId,
  { conditions, order, rowsMax, offset }: Slice,
): Promise<LogPage> {
  const rows = await sql<(ListedUsage & { readonly held: number })[]>`
    with page as materialized (
      select * from usage_logs where project_id = ${projectId} and ${conditions}
      order by ${order} limit ${rowsMax} offset ${offset}
    ), measured as materialized (
      select *, coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(unit_prices::text), 0)
        + coalesce(octet_length(earlier_prices::text), 0) as large from page
    ), sized as (
      select *, sum(large) over (order by ${order}) - large as before, count(*) over () as held from measured
    )
    select logged_at as "loggedAt", id, provider, model, alias, profile, origin, id_at_origin as "idAtOrigin",
      conversation_id as "conversationId", input_tokens::float8 as "inputTokens", output_tokens::float8 as "outputTokens",
      cached_input_tokens::float8 as "cachedInputTokens", cache_read_input_tokens::float8 as "cacheReadInputTokens",
      cache_write_5m_input_tokens::float8 as "cacheWrite5mInputTokens",
      cache_write_1h_input_tokens::float8 as "cacheWrite1hInputTokens", reasoning_tokens::float8 as "reasoningTokens",
      input_tokens_include_cache as "inputTokensIncludeCache", latency_ms as "latencyMs", cost::text as cost,
      reported_cost::text as "reportedCost", computed_cost::text as "computedCost", cost_status as "costStatus",
      registry_provider_version as "registryProviderVersion", unit_prices::text as "unitPrices", metadata::text as metadata,
      earlier_prices::text as "earlierPrices", earlier_prices -> -1 ->> 'cost' as "previousCost",
      repriced ->> 'cost' as "repricedCost",
      held::float8 as held
    from sized where before <= ${USAGE_LIMITS.pageBytesMax} - large or before = 0
    order by ${order}`
  return { rows, isLast: rows.length === (rows[0]?.held ?? 0) }
}
