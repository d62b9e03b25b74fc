import type { Statements } from '../../../db/client.js'
import { MEASURES } from '../rollups/rolling-store.js'
import { type CellsQuery, cellsParameters, cellsText } from './cells-store.js'

/** The names by which sums are told apart, each its column; any of them together. */
export const GROUP_NAMES = ['provider', 'model', 'alias', 'profile', 'origin'] as const
export type GroupName = (typeof GROUP_NAMES)[number]

/** A group's number of its part, its names (`''`: absent) and its sums, all as texts: they are exact. */
export type GroupRow = Readonly<Record<string, string>> & { readonly part: string }

/**
 * Of each part the sums of the names that occur together, newest part and most requests first. `tuple` numbers what
 * occurs together; of more than `$15` those with the most requests in the whole period are kept, and the others are one
 * more, called `(other)`. So the groups of a part equal it.
 */
function groupsText(by: readonly GroupName[], measured: readonly string[]): string {
  const sums = measured.map((name) => `sum(${name}) as ${name}`).join(', ')
  const isOther = by.map((name) => `${name} = '(other)'`).join(' and ')
  const tuple =
    by.length === 0 ? '1' : `case when ${isOther} then 0 else dense_rank() over (order by ${by.join(', ')}) end`
  const none = by.length === 0 ? '1' : '0'
  const names = by.map((name) => `coalesce(called.${name}, '(other)') as ${name}, `).join('')
  const measures = measured.map((name) => `sized.${name}::text as ${name}`).join(', ')
  return `${cellsText(measured)}, tuples as materialized (
    select *, ${tuple} as tuple from names
  ), summed as materialized (
    select part, coalesce(tuple, ${none}) as tuple, ${sums} from cells left join tuples using (combo_id) group by 1, 2
  ), kept as materialized (
    select tuple from summed where tuple > 0 group by tuple order by sum(requests) desc, tuple limit $15
  ), sized as (
    select part, coalesce(kept.tuple, 0) as tuple, ${sums} from summed left join kept using (tuple) group by 1, 2
  ), called as materialized (
    select distinct on (tuple) * from tuples where tuple > 0 order by tuple
  )
  select sized.part::text as part, ${names}${measures}
  from sized left join called using (tuple) order by sized.part desc, sized.requests desc, tuple`
}

/** `measured` has `requests` in it, by which groups are ordered. */
export function readGroups(
  sql: Statements,
  query: CellsQuery,
  by: readonly GroupName[],
  tuplesMax: number,
  measured: readonly string[] = MEASURES,
) {
  // Not prepared: there are hundreds of these, and a connection would keep the plan of each.
  return sql.unsafe<GroupRow[]>(groupsText(by, measured), [...cellsParameters(query), tuplesMax])
}
