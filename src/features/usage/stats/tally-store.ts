import type { Statements } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'
import { added, type CellsQuery, cellsParameters, totalsText } from './cells-store.js'
import type { StatsRow } from './stats-row.js'

const SUMMED = [
  ...['requests', 'cost', 'input_tokens', 'output_tokens', 'unknown_model', 'no_price', 'no_registry'],
] as const
const OWN = SUMMED.join(', ')

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
const TALLY = `${totalsText(SUMMED)}, known as materialized (
    select ${OWN}, coalesce(model, ${OTHER}) as model, coalesce(origin, ${OTHER}) as origin,
      coalesce(alias, ${OTHER}) as alias, coalesce(folded, true) as folded
    from totals left join names using (combo_id) where is_named
    union all
    select ${added(SUMMED)}, ${OTHER}, ${OTHER}, ${OTHER}, true from totals where not is_named having count(*) > 0
  ), tallies as (
    select 'summary' as kind, null as name, ${SUMS}, coalesce(sum(requests) filter (where folded), 0) as folded from known
    union all ${byName('model')} union all ${byName('origin')} union all ${byName('alias')}
  ), ranked as (
    select *, row_number() over (partition by kind order by name is not distinct from ${OTHER}, requests desc, name collate "C") as rank, count(*) over (partition by kind) as names
    from tallies
  ), tops as (
    select part, sum(requests) as requests, sum(cost) as cost,
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
  select 'period', lpad(part::text, 10, '0'), requests::text, cost::text, '0', '0', '0', '0', '0',
    coalesce((select model from names where names.model_place = tops.model_place limit 1), ${OTHER})
  from tops order by kind, name desc`

export function readTally(sql: Statements, query: CellsQuery): Promise<StatsRow[]> {
  return sql.unsafe<StatsRow[]>(TALLY, cellsParameters(query), { prepare: true })
}
