import { and, sql as fragment, type SQL } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import { dropMonthlyPartitions } from '../../db/drop-partitions.js'
import { eraseRows } from '../../db/erase-rows.js'
import type { Orm } from '../../db/orm.js'
import { ensureMonthlyPartitions } from '../../db/partitions.js'
import { usageLogs } from '../../db/tables/usage.js'
import { COST_STATUSES, type UsageRow } from './event.js'
import { USAGE_LIMITS } from './limits.js'
import { createDownloadEnds, createDownloadPages } from './read/download-store.js'
import { createExportPages, createLogPages } from './read/log-store.js'
import { createCombinationLimit } from './record/combination-limit.js'
import { createMarkStore } from './record/mark-store.js'
import { createGroupWriter } from './record/write-store.js'
import { bucketOf, combinationOf, rollUp } from './rollups/rolling-store.js'
import { createRollupStore } from './rollups/rollup-store.js'
import { createStatsStore } from './stats/stats-store.js'

export type StoredUsage = typeof usageLogs.$inferSelect
/** Where a row stands in its project: RFC 3339 with milliseconds, and the id. */
export type LogPosition = { readonly loggedAt: string; readonly id: string }
export type UnpricedRow = Pick<
  StoredUsage,
  | 'projectId'
  | 'loggedAt'
  | 'id'
  | 'provider'
  | 'model'
  | 'inputTokens'
  | 'outputTokens'
  | 'cachedInputTokens'
  | 'cacheReadInputTokens'
  | 'cacheWrite5mInputTokens'
  | 'cacheWrite1hInputTokens'
  | 'reasoningTokens'
  | 'inputTokensIncludeCache'
>
/** Which row, and what it costs. Money is US dollars with 12 places. */
export type PricedRow = Pick<
  UsageRow,
  'loggedAt' | 'id' | 'cost' | 'computedCost' | 'status' | 'registryVersion' | 'unitPrices'
> & { readonly projectId: string }

export type UsageStore = ReturnType<typeof createUsageStore>

export function createUsageStore({ sql, orm }: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    insert: createGroupWriter(sql, createCombinationLimit(USAGE_LIMITS)),
    marks: createMarkStore(sql),
    rollups: createRollupStore(sql),
    ensurePartitions: (nowMs: number) =>
      ensureMonthlyPartitions(sql, 'usage_logs', nowMs, USAGE_LIMITS.partitionMonthsAheadMin),
    dropPartitions: (nowMs: number, monthsKept: number) => dropMonthlyPartitions(sql, 'usage_logs', nowMs, monthsKept),
    /** The partition of one month, which may be long over. */
    ensurePartitionOf: (timeMs: number) => ensureMonthlyPartitions(sql, 'usage_logs', timeMs, 0),
    list: createLogPages(sql),
    stats: createStatsStore(sql),
    exportPage: createExportPages(sql),
    downloadPage: createDownloadPages(sql),
    downloadEnd: createDownloadEnds(sql),
    eraseChunk: (projectId: ProjectId, rowsMax: number) =>
      eraseRows(sql, { table: 'usage_logs', key: ['logged_at', 'id'], projectId, rowsMax }),
    listUnpriced: (after: LogPosition | null, rowsMax: number) => listUnpriced(orm, after, rowsMax),
    writePrices: (projectId: string, rows: readonly PricedRow[]) => writePrices(sql, projectId, rows),
  }
}

/** Rows that wait for a registry, of all projects, oldest first: what pricing needs of them. */
function listUnpriced(orm: Orm, after: LogPosition | null, rowsMax: number): Promise<UnpricedRow[]> {
  const { projectId, loggedAt, id, provider, model, inputTokens, outputTokens, cachedInputTokens } = usageLogs
  const { cacheReadInputTokens, cacheWrite5mInputTokens, cacheWrite1hInputTokens } = usageLogs
  const { reasoningTokens, inputTokensIncludeCache } = usageLogs
  return orm
    .select({
      ...{ projectId, loggedAt, id, provider, model, inputTokens, outputTokens, cachedInputTokens },
      ...{ cacheReadInputTokens, cacheWrite5mInputTokens, cacheWrite1hInputTokens },
      ...{ reasoningTokens, inputTokensIncludeCache },
    })
    .from(usageLogs)
    .where(and(fragment`${usageLogs.costStatus} = 'no_registry'`, after === null ? undefined : isAfter(after)))
    .orderBy(usageLogs.loggedAt, usageLogs.id)
    .limit(rowsMax)
}

/** A shard that no writer has. */
const PRICING_SHARD = '1'
/** A row that waited was added up with no cost: now it has one, and another status. */
const OF_PRICED = Object.fromEntries([
  ['cost', 'sum(cost)'],
  ['no_registry', '-count(*)'],
  ...COST_STATUSES.filter((status) => status !== 'no_registry').map((status) => [
    status,
    `count(*) filter (where status = '${status}')`,
  ]),
])

/**
 * Prices rows that still wait, and adds their costs to the rollups; answers how many. Rows that another instance is
 * pricing right now are left to it: two updates that take the same rows in different orders would deadlock.
 */
async function writePrices(sql: Sql, projectId: string, rows: readonly PricedRow[]): Promise<number> {
  const texts = (of: (row: PricedRow) => string | null) => arrayText(rows.map(of))
  const written = await sql`
    with priced as (
      select * from unnest(
        ${texts((row) => row.loggedAt)}::text::timestamptz[], ${texts((row) => row.id)}::text::uuid[],
        ${texts((row) => row.cost)}::text::numeric[],
        ${texts((row) => row.computedCost)}::text::numeric[], ${texts((row) => row.status)}::text::text[],
        ${texts((row) => row.registryVersion)}::text::text[],
        ${texts(({ unitPrices }) => (unitPrices === null ? null : JSON.stringify(unitPrices)))}::text::jsonb[]
      ) as p (logged_at, id, cost, computed_cost, status, version, unit_prices)
    ), taken as materialized (
      select priced.*, project_id, provider, model, alias, profile, origin from priced join usage_logs using (logged_at, id)
      where usage_logs.project_id = ${projectId} and usage_logs.cost_status = 'no_registry' for update of usage_logs skip locked
    ), moved as materialized (
      select project_id, ${sql.unsafe(bucketOf('logged_at'))} as bucket, ${sql.unsafe(combinationOf('taken', 'false'))}, cost, status
      from taken
    ), ${sql.unsafe(rollUp('moved', PRICING_SHARD, OF_PRICED))}
    update usage_logs set cost = taken.cost, computed_cost = taken.computed_cost, cost_status = taken.status,
      registry_provider_version = taken.version, unit_prices = taken.unit_prices
    from taken
    where usage_logs.project_id = ${projectId} and usage_logs.logged_at = taken.logged_at and usage_logs.id = taken.id`
  return confirmCompleted(written, 'UPDATE').count
}

function isAfter(position: LogPosition): SQL {
  return fragment`(${usageLogs.loggedAt}, ${usageLogs.id}) > (${position.loggedAt}::timestamptz, ${position.id}::uuid)`
}
