import type { ProjectId } from '../../../access/principal.js'
import { arrayText } from '../../../db/array-text.js'
import { USAGE_LIMITS } from '../limits.js'
import { COMBO_NAMES, combinationOf, OF_ROWS } from '../rollups/rolling-store.js'
import type { ReadPlan } from './read-plan.js'

/** What is summed of a project: the parts of a period between bounds, and where their sums are found. */
export type CellsQuery = {
  readonly projectId: ProjectId
  readonly boundsMs: readonly number[]
  readonly plan: ReadPlan
}
type Parameter = string | number

const time = (ms: string) => `to_timestamp(${ms}::float8 / 1000)`
const list = (place: number, type: string) => `$${place}::text::${type}[]`
const each = (names: readonly string[], of: (name: string) => string) => names.map(of).join(', ')

const negated = (names: readonly string[]) => each(names, (name) => `-${name}`)
export const added = (names: readonly string[]) => each(names, (name) => `sum(${name}) as ${name}`)
const isAnything = (names: readonly string[]) => names.map((name) => `sum(${name}) <> 0`).join(' or ')

/** Folded sums with the numbers of the parts to which they are added and from which they are taken away. */
const foldedRows = (own: string) => `(
      select plus, minus, combo_id, ${own} from segments cross join lateral (
        select combo_id, ${own} from usage_rollups as one where one.project_id = $1 and one.grain = segments.grain
          and one.bucket >= segments.first and one.bucket < segments.last and one.shard = 0 offset 0
      ) as one
    )`

/** Parts of a WITH: the stretches whose folded sums are read, and what is summed of rows and of sums not folded yet. */
function sources(measures: readonly string[]): string {
  return `
  with segments as (
    select grain, ${time('from_ms')} as first, ${time('until_ms')} as last, plus, minus
    from unnest(${list(2, 'text')}, ${list(3, 'float8')}, ${list(4, 'float8')}, ${list(5, 'integer')}, ${list(6, 'integer')})
      as segment (grain, from_ms, until_ms, plus, minus)
  ), cut as (
    select part, ${combinationOf('log', 'false')}, ${each(measures, (name) => `${OF_ROWS[name]} as ${name}`)}
    from unnest(${list(7, 'float8')}, ${list(8, 'float8')}, ${list(9, 'integer')}) as stretch (from_ms, until_ms, part)
      cross join lateral (
        select * from usage_logs as log where log.project_id = $1
          and log.logged_at >= ${time('from_ms')} and log.logged_at < ${time('until_ms')} offset 0
      ) as log
    group by part, log.provider, log.model, log.alias, log.profile, log.origin
  ), unfolded as (
    select part, combo_id, ${measures.join(', ')} from cut
    union all select width_bucket(extract(epoch from bucket)::float8 * 1000, ${list(13, 'float8')}) - 1, combo_id, ${measures.join(', ')}
      from usage_rollups where project_id = $1 and shard <> 0 and bucket >= ${time('$10')} and bucket < ${time('$11')}
        and extract(epoch from bucket)::float8 * 1000 <> all (${list(12, 'float8')})
  )`
}

/** A part of a WITH: what the combinations of `named` are called, and the places of their models among all. */
const NAMES = `names as materialized (
    select *, dense_rank() over (order by model)::integer as model_place from (
      select id as combo_id, ${COMBO_NAMES} from named cross join lateral (
        select * from usage_combos where project_id = $1 and id = named.combo_id offset 0
      ) as combo
      union select combo_id, ${COMBO_NAMES} from cut join named using (combo_id)
    ) as found
  )`

/**
 * Parts of a WITH that give `cells`, the sums by part and combination, and `names`, what the combinations are called.
 * Everything is one statement, so one snapshot: an event is in the sums or in the rows that are read for a cut quarter,
 * never in both. Sums are added by the hashes of names. Of more than `statsCombinationsMax` combinations only those with
 * the most requests have names, the others are nulls (84,000 names of 255 characters took 8 s to sort).
 */
export function cellsText(measures: readonly string[]): string {
  const own = measures.join(', ')
  return `${sources(measures)}, folded_sums as materialized (
    select plus, minus, combo_id, ${added(measures)} from ${foldedRows(own)} as one group by plus, minus, combo_id
  ), signed as (
    select plus as part, combo_id, ${own} from folded_sums where plus is not null
    union all select minus, combo_id, ${negated(measures)} from folded_sums where minus is not null
    union all select part, combo_id, ${own} from unfolded
  ), combined as materialized (
    select part, combo_id, ${added(measures)} from signed group by part, combo_id having ${isAnything(measures)}
  ), named as materialized (
    select combo_id from combined group by combo_id order by sum(requests) desc, combo_id limit $14
  ), cells as (
    select part, named.combo_id, ${own} from combined left join named using (combo_id)
  ), ${NAMES}`
}

/**
 * Parts of a WITH that give `totals`, the sums by combination; `models`, requests and cost by part and model; and
 * `names`, the rest being null as in `cellsText`. What was folded is read twice. Of the sums by part and combination both
 * could be made, but they are as many as what was folded, each of many decimals: they took four times as long.
 */
export function totalsText(measures: readonly string[]): string {
  const own = measures.join(', ')
  return `${sources(measures)}, totals as materialized (
    select combo_id, ${added(measures)}, row_number() over (order by sum(requests) desc, combo_id) <= $14 as is_named from (
      -- What is taken from one part for another is the same in all of them together.
      select combo_id, ${own} from ${foldedRows(own)} as one where plus is not null and minus is null
      union all select combo_id, ${negated(measures)} from ${foldedRows(own)} as one where plus is null
      union all select combo_id, ${own} from unfolded
    ) as one group by combo_id having ${isAnything(measures)}
  ), named as materialized (
    select combo_id from totals where is_named
  ), ${NAMES}, folded_models as materialized (
    select plus, minus, model_place, sum(requests) as requests, sum(cost) as cost
    from ${foldedRows('requests, cost')} as one left join names using (combo_id) group by plus, minus, model_place
  ), models as (
    select part, model_place, sum(requests) as requests, sum(cost) as cost from (
      select plus as part, model_place, requests, cost from folded_models where plus is not null
      union all select minus, model_place, -requests, -cost from folded_models where minus is not null
      union all select part, model_place, requests, cost from unfolded left join names using (combo_id)
    ) as one group by part, model_place having sum(requests) <> 0 or sum(cost) <> 0
  )`
}

export function cellsParameters({ projectId, boundsMs, plan }: CellsQuery): Parameter[] {
  const { segments, rows, quarters, splitMs } = plan
  return [
    projectId,
    arrayText(segments.map(({ grain }) => grain)),
    arrayText(segments.map(({ fromMs }) => fromMs)),
    arrayText(segments.map(({ untilMs }) => untilMs)),
    arrayText(segments.map(({ plus }) => plus)),
    arrayText(segments.map(({ minus }) => minus)),
    arrayText(rows.map(({ fromMs }) => fromMs)),
    arrayText(rows.map(({ untilMs }) => untilMs)),
    arrayText(rows.map(({ part }) => part)),
    quarters.fromMs,
    quarters.untilMs,
    arrayText(splitMs),
    arrayText(boundsMs),
    USAGE_LIMITS.statsCombinationsMax,
  ]
}
