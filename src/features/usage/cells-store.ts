import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import { USAGE_LIMITS } from './limits.js'
import type { ReadPlan } from './read-plan.js'
import { COMBO_NAMES, combinationOf, OF_ROWS } from './rolling-store.js'

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

/**
 * Parts of a WITH that give `cells`, the sums by part and combination, and `names`, what the combinations are called.
 * Everything is one statement, so one snapshot: an event is in the sums or in the rows that are read for a cut quarter,
 * never in both. Sums are added by the hashes of names. Of more than `statsCombinationsMax` combinations only those with
 * the most requests have names, the others together a null (84,000 names of 255 characters took 8 s to sort).
 */
export function cellsText(measures: readonly string[]): string {
  const sums = each(measures, (name) => `sum(${name}) as ${name}`)
  const own = measures.join(', ')
  return `
  with segments as (
    select grain, ${time('from_ms')} as first, ${time('until_ms')} as last, plus, minus
    from unnest(${list(2, 'text')}, ${list(3, 'float8')}, ${list(4, 'float8')}, ${list(5, 'integer')}, ${list(6, 'integer')})
      as segment (grain, from_ms, until_ms, plus, minus)
  ), folded_sums as materialized (
    select plus, minus, combo_id, ${sums} from segments cross join lateral (
      select combo_id, ${own} from usage_rollups as one where one.project_id = $1 and one.grain = segments.grain
        and one.bucket >= segments.first and one.bucket < segments.last and one.shard = 0 offset 0
    ) as one group by plus, minus, combo_id
  ), cut as (
    select part, ${combinationOf('log', 'false')}, ${each(measures, (name) => `${OF_ROWS[name]} as ${name}`)}
    from unnest(${list(7, 'float8')}, ${list(8, 'float8')}, ${list(9, 'integer')}) as stretch (from_ms, until_ms, part)
      cross join lateral (
        select * from usage_logs as log where log.project_id = $1
          and log.logged_at >= ${time('from_ms')} and log.logged_at < ${time('until_ms')} offset 0
      ) as log
    group by part, log.provider, log.model, log.alias, log.profile, log.origin
  ), signed as (
    select plus as part, combo_id, ${own} from folded_sums where plus is not null
    union all select minus, combo_id, ${each(measures, (name) => `-${name}`)} from folded_sums where minus is not null
    union all select part, combo_id, ${own} from cut
    union all select width_bucket(extract(epoch from bucket)::float8 * 1000, ${list(13, 'float8')}) - 1, combo_id, ${own}
      from usage_rollups where project_id = $1 and shard <> 0 and bucket >= ${time('$10')} and bucket < ${time('$11')}
        and extract(epoch from bucket)::float8 * 1000 <> all (${list(12, 'float8')})
  ), combined as materialized (
    select part, combo_id, ${sums} from signed group by part, combo_id
    having ${measures.map((name) => `sum(${name}) <> 0`).join(' or ')}
  ), named as materialized (
    select combo_id from combined group by combo_id order by sum(requests) desc, combo_id limit $14
  ), cells as materialized (
    select part, named.combo_id, ${sums} from combined left join named using (combo_id) group by part, named.combo_id
  ), whole as materialized (
    select combo_id, ${sums} from cells group by combo_id
  ), names as materialized (
    select *, dense_rank() over (order by model)::integer as model_place from (
      select id as combo_id, ${COMBO_NAMES} from named cross join lateral (
        select * from usage_combos where project_id = $1 and id = named.combo_id offset 0
      ) as combo
      union select combo_id, ${COMBO_NAMES} from cut join named using (combo_id)
    ) as found
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
