import type { ProjectId } from '../../access/principal.js'
import type { Sql, Statements } from '../../db/client.js'
import { type CellsQuery, cellsParameters, cellsText } from './cells-store.js'
import { type GroupName, type GroupRow, readGroups } from './groups-store.js'
import { type LatencyRow, readLatencies } from './latency-store.js'
import { USAGE_LIMITS } from './limits.js'
import type { Period } from './period.js'
import type { StatsRow } from './stats-row.js'

export type StatsStore = ReturnType<typeof createStatsStore>

/** What reads one snapshot. */
export type StatsReader = {
  readonly extent: (projectId: ProjectId) => Promise<Period | null>
  readonly tally: (query: CellsQuery) => Promise<StatsRow[]>
  readonly latencies: (query: CellsQuery) => Promise<LatencyRow[]>
  readonly groups: (query: CellsQuery, by: readonly GroupName[], tuplesMax: number) => Promise<GroupRow[]>
  /** The same with only `requests` and `cost`. */
  readonly costs: (query: CellsQuery, by: readonly GroupName[], tuplesMax: number) => Promise<GroupRow[]>
}

export function createStatsStore(sql: Sql) {
  return {
    /**
     * Sorts of 10,000 long names need no disk, and no plan is compiled: that takes longer than most of these. The
     * planner cannot know how many combinations there are: a loop over 84,000 times 10,000 took over 10 s. Sorted groups need one
     * group's sums at a time: 6,000 hashed ones, each of seven decimals, took 5 times as long.
     */
    inSnapshot: async <T>(read: (reader: StatsReader) => Promise<T>): Promise<T> => {
      const done = await sql.begin('isolation level repeatable read read only', async (tx) => {
        await tx`select set_config('work_mem', ${`${USAGE_LIMITS.statsWorkKilobytesMax}kB`}, true),
          set_config('jit', 'off', true), set_config('enable_nestloop', 'off', true), set_config('enable_hashagg', 'off', true)`
        return read({
          extent: (projectId) => readExtent(tx, projectId),
          tally: (query) => tx.unsafe<StatsRow[]>(TALLY, cellsParameters(query), { prepare: true }),
          latencies: ({ projectId, boundsMs }) => readLatencies(tx, projectId, boundsMs),
          groups: (query, by, tuplesMax) => readGroups(tx, query, by, tuplesMax),
          costs: (query, by, tuplesMax) => readGroups(tx, query, by, tuplesMax, ['requests', 'cost']),
        })
      })
      return done as T
    },
  }
}

/** From the first quarter of an hour with events to the end of the last one, or null if there are none. */
async function readExtent(sql: Statements, projectId: ProjectId): Promise<Period | null> {
  const [row] = await sql<{ first: Date | null; last: Date | null }[]>`
    select min(bucket) as first, max(bucket) as last from usage_rollups
    where project_id = ${projectId} and grain = 'quarter'`
  if (row?.first == null || row.last == null) return null
  return { fromMs: row.first.getTime(), untilMs: row.last.getTime() + 900_000 }
}

const SUMMED = [
  ...['requests', 'cost', 'input_tokens', 'output_tokens', 'unknown_model', 'no_price', 'no_registry'],
] as const

const SUMS = `coalesce(sum(requests), 0) as requests, coalesce(sum(cost), 0::numeric(30, 12)) as cost,
  coalesce(sum(input_tokens), 0) as input_tokens, coalesce(sum(output_tokens), 0) as output_tokens,
  coalesce(sum(unknown_model + no_price + no_registry), 0) as unpriced`

/** What stands for the names of a combination that came beyond a limit. */
const OTHER = `'(other)'`
const byName = (kind: string) => `
    select '${kind}' as kind, ${kind} as name, ${SUMS}, 0 as folded from known where ${kind} <> '' group by ${kind}`

/**
 * All sums of a period, by part, model, origin and alias. Beyond `statsNamesMax` names of a kind the ones with the
 * fewest requests become `(other)`. The name of a period is its number.
 */
const TALLY = `${cellsText(SUMMED)}, known as materialized (
    select whole.*, coalesce(model, ${OTHER}) as model, coalesce(origin, ${OTHER}) as origin,
      coalesce(alias, ${OTHER}) as alias, coalesce(folded, true) as folded
    from whole left join names using (combo_id)
  ), totals as (
    select 'summary' as kind, null as name, ${SUMS}, coalesce(sum(requests) filter (where folded), 0) as folded from known
    union all ${byName('model')} union all ${byName('origin')} union all ${byName('alias')}
  ), ranked as (
    select *, row_number() over (partition by kind order by name is not distinct from ${OTHER}, requests desc, name collate "C") as rank, count(*) over (partition by kind) as names
    from totals
  ), models as (
    select part, model_place, ${SUMS} from cells left join names using (combo_id) group by part, model_place
  ), tops as (
    select part, ${SUMS.replaceAll('unknown_model + no_price + no_registry', 'unpriced')},
      (array_agg(model_place order by requests desc, model_place))[1] as model_place
    from models group by part
  )
  select kind, name, requests::text as requests, cost::text as cost, input_tokens::text as "inputTokens",
    output_tokens::text as "outputTokens", unpriced::text as unpriced, folded::text as folded, names::text as names,
    null as "topModel"
  from ranked where rank <= ${USAGE_LIMITS.statsNamesMax} and name is distinct from ${OTHER}
  union all
  select kind, ${OTHER}, sum(requests)::text, sum(cost)::text, sum(input_tokens)::text, sum(output_tokens)::text,
    sum(unpriced)::text, '0', max(names)::text, null
  from ranked where rank > ${USAGE_LIMITS.statsNamesMax} or name = ${OTHER} group by kind
  union all
  select 'period', lpad(part::text, 10, '0'), requests::text, cost::text, input_tokens::text, output_tokens::text, unpriced::text,
    '0', '0', coalesce((select model from names where names.model_place = tops.model_place limit 1), ${OTHER})
  from tops order by kind, name desc`
