import type { ProjectId } from '../../../access/principal.js'
import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'
import { confirmRow } from '../../../db/confirm.js'
import { sqlOf, type Tx } from '../../../db/transact.js'
import { AppError } from '../../../platform/errors.js'
import { COST_STATUSES } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import { bucketOf, combinationOf, rollUp } from '../rollups/rolling-store.js'
import type { LogPosition, StoredUsage, UnpricedRow } from '../store.js'
import type { Priced, RepricedEvent } from './reprice-events.js'

/** What an event is repriced from. Money is decimal text with 12 places. */
export type RecordedPrice = Omit<UnpricedRow, 'projectId'> &
  Pick<StoredUsage, 'cost' | 'reportedCost' | 'computedCost' | 'costStatus' | 'registryProviderVersion'> & {
    readonly unitPrices: Readonly<Record<string, string>> | null
    readonly repriced: Priced | null
  }
export type RecordedQuery = {
  readonly period: Period
  /** The event to go on behind. */
  readonly after: LogPosition | null
  readonly rowsMax: number
}
/** What of an event a certificate is made of. */
type CostFact = Pick<StoredUsage, 'id' | 'loggedAt' | 'cost' | 'costStatus' | 'registryProviderVersion'>

export type RepricingStore = ReturnType<typeof createRepricingStore>

export function createRepricingStore(sql: Sql) {
  return {
    page: (projectId: ProjectId, query: RecordedQuery) => readPage(sql, projectId, query),
    /** Until the transaction ends, no price of the project changes otherwise, and nothing of it is certified. */
    hold: (tx: Tx, projectId: ProjectId) => lock(tx, projectId, ''),
    isStill,
    rewrite,
  }
}

async function lock(tx: Tx, projectId: ProjectId, mode: '' | '_shared'): Promise<void> {
  await sqlOf(tx).unsafe(
    `select pg_advisory_xact_lock${mode}(hashtextextended('llmring-prices:' || current_schema() || $1::text, 0))`,
    [projectId],
  )
}

/**
 * Whether these events cost what was read of them. Until the transaction ends they do: whoever certifies them asks in
 * the one that says so.
 */
async function isStill(tx: Tx, projectId: ProjectId, facts: readonly CostFact[]): Promise<boolean> {
  await lock(tx, projectId, '_shared')
  const texts = (of: (fact: CostFact) => string | null) => arrayText(facts.map(of))
  const [row] = await sqlOf(tx)<{ same: number }[]>`
    select count(*)::integer as same from unnest(
      ${texts(({ loggedAt }) => loggedAt.toISOString())}::text::timestamptz[], ${texts(({ id }) => id)}::text::uuid[],
      ${texts(({ cost }) => cost)}::text::numeric[], ${texts(({ costStatus }) => costStatus)}::text::text[],
      ${texts((fact) => fact.registryProviderVersion)}::text::text[]) as read (logged_at, id, cost, status, version)
    join usage_logs as log using (logged_at, id)
    where log.project_id = ${projectId} and log.cost = read.cost and log.cost_status = read.status
      and log.registry_provider_version is not distinct from read.version`
  return row?.same === facts.length
}

/** A page of a project's events, oldest first. */
async function readPage(sql: Sql, projectId: ProjectId, { period, after, rowsMax }: RecordedQuery) {
  return sql<RecordedPrice[]>`
    select logged_at as "loggedAt", id, provider, model, input_tokens::float8 as "inputTokens",
      output_tokens::float8 as "outputTokens", cached_input_tokens::float8 as "cachedInputTokens",
      cache_read_input_tokens::float8 as "cacheReadInputTokens",
      cache_write_5m_input_tokens::float8 as "cacheWrite5mInputTokens",
      cache_write_1h_input_tokens::float8 as "cacheWrite1hInputTokens", reasoning_tokens::float8 as "reasoningTokens",
      input_tokens_include_cache as "inputTokensIncludeCache", cost::text as cost, reported_cost::text as "reportedCost",
      computed_cost::text as "computedCost", cost_status as "costStatus",
      registry_provider_version as "registryProviderVersion", unit_prices as "unitPrices", repriced
    from usage_logs where project_id = ${projectId} and logged_at >= to_timestamp(${period.fromMs}::float8 / 1000)
      and logged_at < to_timestamp(${period.untilMs}::float8 / 1000)
      ${after === null ? sql`` : sql`and (logged_at, id) > (${after.loggedAt}::text::timestamptz, ${after.id}::uuid)`}
    order by logged_at, id limit ${rowsMax}`
}

/** A shard that no writer has. */
const PRICING_SHARD = '1'
const ADDED = Object.fromEntries([
  ['cost', 'sum(cost - old_cost)'],
  ...COST_STATUSES.map((status) => [
    status,
    `count(*) filter (where status = '${status}') - count(*) filter (where old_status = '${status}')`,
  ]),
])
const KEPT = USAGE_LIMITS.earlierPricesMax
/** The first price of all stays: of too many the second goes. */
const EARLIER = `
  case when jsonb_array_length(coalesce(earlier_prices, '[]')) < ${KEPT} then coalesce(earlier_prices, '[]')
    else earlier_prices - 1 end || jsonb_build_array(was)`

const hasSum = (id: string) => `exists (select from usage_rollups as sum where sum.project_id = named.project_id
  and sum.grain = 'quarter' and sum.bucket = named.bucket and sum.combo_id = ${id})`

/**
 * The events that still cost what was read of them (`taken`) get their new prices, and what they were priced with before
 * goes behind the earlier ones. All of them are locked before any sum: a statement that waits for an event holds no sum.
 * An event whose names came beyond a limit was added up as `(other)`, and has no sum of its own in its quarter.
 */
const REWRITE = `
  with changed as (
    select * from jsonb_to_recordset($2::text::jsonb) as c (logged_at timestamptz, id uuid, was jsonb, certified boolean,
      becomes jsonb, repriced jsonb)
  ), taken as materialized (
    select log.project_id, log.logged_at, log.id, log.provider, log.model, log.alias, log.profile, log.origin,
      changed.was, changed.repriced, certified, log.cost as old_cost, log.cost_status as old_status,
      case when certified then log.cost else (becomes ->> 'cost')::numeric end as cost,
      case when certified then log.cost_status else becomes ->> 'cost_status' end as status,
      case when certified then log.computed_cost else (becomes ->> 'computed_cost')::numeric end as computed_cost,
      case when certified then log.registry_provider_version else becomes ->> 'registry_provider_version' end as version,
      case when certified then log.unit_prices else nullif(becomes -> 'unit_prices', 'null') end as unit_prices
    from changed join usage_logs as log on log.logged_at = changed.logged_at and log.id = changed.id
    where log.project_id = $1 and log.cost = (was ->> 'cost')::numeric and log.cost_status = was ->> 'cost_status'
      and log.computed_cost is not distinct from (was ->> 'computed_cost')::numeric
      and log.registry_provider_version is not distinct from was ->> 'registry_provider_version'
    for update of log
  ), named as materialized (
    select taken.*, ${bucketOf('logged_at')} as bucket, own.combo_id as own_id, other.combo_id as other_id
    from taken, lateral (select ${combinationOf('taken', 'false')}) as own,
      lateral (select ${combinationOf('taken', 'true')}) as other
    where cost <> old_cost or status <> old_status
  ), placed as materialized (
    select named.*, case when ${hasSum('own_id')} then 0 when ${hasSum('other_id')} then 1 else 2 end as fold from named
  ), moved as materialized (
    select project_id, bucket, ${combinationOf('placed', 'placed.fold > 0', 'placed.fold > 1')},
      cost, old_cost, status, old_status
    from placed
  ), ${rollUp('moved', PRICING_SHARD, ADDED)}, written as (
    update usage_logs as log set cost = taken.cost, computed_cost = taken.computed_cost, cost_status = taken.status,
      registry_provider_version = taken.version, unit_prices = taken.unit_prices, repriced = taken.repriced,
      earlier_prices = case when certified then log.earlier_prices else ${EARLIER} end
    from taken where log.project_id = $1 and log.logged_at = taken.logged_at and log.id = taken.id returning 1
  )
  select count(*)::integer as written from written`

/** Throws `conflict` if an event does not cost any more what was read of it: then nothing is written. */
async function rewrite(tx: Tx, projectId: ProjectId, changes: readonly Rewritten[]): Promise<void> {
  if (changes.length === 0) return
  const rows = await sqlOf(tx).unsafe<{ written: number }[]>(REWRITE, [projectId, JSON.stringify(changes.map(rowOf))], {
    prepare: true,
  })
  if (confirmRow(rows).written !== changes.length) throw new AppError('conflict', 'An event was priced meanwhile.')
}

/** `stamp`: what is kept with a price that an event had before, or might have. */
type Rewritten = RepricedEvent & { readonly certified: boolean; readonly stamp: object }

function rowOf({ loggedAt, id, before, after, certified, stamp }: Rewritten) {
  const isAnother = before.cost !== after.cost || before.cost_status !== after.cost_status
  return {
    ...{ logged_at: loggedAt, id, certified, becomes: after },
    was: { ...before, ...stamp },
    repriced: certified && isAnother ? { ...after, ...stamp } : null,
  }
}
