import type { ProjectId } from '../../access/principal.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import { ALIAS_LIMITS } from './limits.js'

/** A model as it is bound in a profile, and the aliases that are bound to it. */
type BoundModel = {
  readonly reference: string
  /** Of a wildcard, as JSON text; null if there are none, and of every other model. */
  readonly constraints: string | null
  /** By name; the first of them. */
  readonly aliases: readonly string[]
  readonly aliasCount: number
}

/** A profile's models at one revision, and the versions of the registry that its lockfile pins. */
export type BoundProfile = {
  readonly revision: number
  /** By provider, as the lockfile says it. */
  readonly pinned: Readonly<Record<string, unknown>>
  readonly models: readonly BoundModel[]
  /** There are more models than are looked at. */
  readonly isCut: boolean
}

type Row = {
  readonly revision: string
  readonly pinned: Readonly<Record<string, unknown>> | null
  readonly reference: string | null
  readonly constraints: string | null
  readonly aliases: string[] | null
  readonly aliasCount: string | null
  readonly isCut: boolean
}

/**
 * Every model once, however many aliases have it, in one statement, so that models and pins are of one revision. The
 * header in force is the newest one, because a row is written whenever it changes.
 */
export async function loadBound(sql: Sql, projectId: ProjectId, profile: string): Promise<BoundProfile> {
  const { boundModelsMax, boundBytesMax, aliasesShownMax } = ALIAS_LIMITS
  const query = sql<Row[]>`
    with bound as materialized (
      select distinct alias, reference, case when reference like '%:*' then constraints::text end as constraints
      from aliases, unnest(models) as reference where project_id = ${projectId} and profile = ${profile}
    ), by_model as (
      select reference, constraints, count(*) as alias_count,
        (array_agg(alias order by alias collate "C"))[1:${aliasesShownMax}] as aliases
      from bound group by reference, constraints
    ), sized as (
      select *, sum(octet_length(reference) + coalesce(octet_length(constraints), 0) + octet_length(array_to_string(aliases, '')))
        over places as bytes, row_number() over places as place, count(*) over () as held
      from by_model window places as (order by reference collate "C", constraints collate "C")
    ), shown as (
      select * from sized where place <= ${boundModelsMax} and bytes <= ${boundBytesMax}
    )
    select coalesce(head.revision, 0) as revision, header.pinned, shown.reference, shown.constraints,
      array_to_json(shown.aliases) as aliases, shown.alias_count as "aliasCount",
      (select count(*) from shown) < (select count(*) from by_model) as "isCut"
    from (select max(revision) as revision from alias_heads where project_id = ${projectId}) as head
    left join lateral (
      select header -> 'profiles' -> ${profile} -> 'registry_versions' as pinned from lock_headers
      where project_id = ${projectId} and lock_headers.revision <= head.revision order by lock_headers.revision desc limit 1
    ) as header on true
    left join shown on true
    order by shown.place`
  const rows = await bounded(query, ALIAS_LIMITS.loadMsMax)
  const [first] = rows
  return {
    revision: Number(first?.revision ?? 0),
    pinned: first?.pinned ?? {},
    models: rows.flatMap(({ reference, constraints, aliases, aliasCount }) =>
      reference === null ? [] : [{ reference, constraints, aliases: aliases ?? [], aliasCount: Number(aliasCount) }],
    ),
    isCut: first?.isCut ?? false,
  }
}
