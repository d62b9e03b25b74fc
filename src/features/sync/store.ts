import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import { SYNC_LIMITS } from './limits.js'
import type { Position } from './position.js'

/** Whose changes: of one profile, or of all (null). */
export type Scope = { readonly projectId: ProjectId; readonly profile: string | null }

/** An alias that changed, as it is now: the large members are JSON texts that nothing has to read on their way out. */
type ChangedRow = {
  readonly revision: number
  readonly profile: string
  readonly alias: string
  readonly isDeleted: boolean
  readonly models: string | null
  readonly constraints: string | null
  readonly metadata: string | null
}
/** What a project's head says, with the changes that fit into a page; null if there is no head. */
export type RawPage = {
  readonly head: { readonly epoch: string; readonly revision: number; readonly isReset: boolean } | null
  readonly rows: readonly ChangedRow[]
  /** The revision of the first change that did not fit; null if all did. */
  readonly cutAt: number | null
}
/** What each revision changed: those that changed something, and the changes in their order. */
export type EachRevision = { readonly revisions: readonly number[]; readonly rows: readonly ChangedRow[] }
export type WatchedHead = { readonly projectId: string; readonly epoch: string; readonly revision: number }

export type SyncStore = ReturnType<typeof createSyncStore>

export function createSyncStore(sql: Sql) {
  return {
    /** The changes behind a position, up to the revision `until`, if one is given. */
    readPage: (scope: Scope, position: Position, until?: number) => readPage(sql, scope, position, until),
    readEach: (scope: Scope, epoch: string, since: number, until: number) => readEach(sql, scope, epoch, since, until),
    readHeads: async (projectIds: readonly string[]): Promise<readonly WatchedHead[]> => {
      const query = sql<WatchedHead[]>`
        select project_id as "projectId", epoch::text as epoch, revision::float8 as revision from alias_heads
        where project_id = any(${arrayText(projectIds)}::text::uuid[])`
      return bounded(query, SYNC_LIMITS.headsMsMax)
    },
  }
}

type Row = Omit<ChangedRow, 'alias'> & {
  readonly epoch: string
  readonly head: number
  readonly isReset: boolean
  readonly cutAt: number | null
  readonly alias: string | null
}

/**
 * The aliases that were written behind the position, and the deletions of those that are gone, in one statement with the
 * head. It is read from the head on, profile by profile, each by an index that is ordered by revision: of 10,000 aliases
 * with 20 changes each the last change comes in 0.35 ms, where the latest row of each alias in the history takes 450 ms.
 * The sizes are columns, so that what does not fit is not even read.
 */
async function readPage(sql: Sql, scope: Scope, position: Position, until?: number): Promise<RawPage> {
  const { projectId } = scope
  const { epoch = null, since, after } = position
  const { pageChangesMax, pageBytesMax, readMsMax } = SYNC_LIMITS
  const from = after?.revision ?? since + 1
  const untilText = until === undefined ? sql`` : sql`and revision <= ${until}::bigint`
  const behind = sql`project_id = ${projectId} and profile = place.profile and revision >= start.revision ${untilText}
    and (revision, profile, alias) > (start.revision, start.profile, start.alias)`
  const rowsMax = pageChangesMax + 1
  const query = sql<Row[]>`
    with recursive start as materialized (
      select epoch, head, is_reset, case when is_reset then 0 else ${from}::bigint end as revision,
        case when is_reset then '' else ${after?.profile ?? ''}::text end collate "C" as profile,
        case when is_reset then '' else ${after?.alias ?? ''}::text end collate "C" as alias
      from (
        select epoch::text, revision as head,
          coalesce(not starts_with(epoch::text, ${epoch}::text), false) or ${since}::bigint > revision as is_reset
        from alias_heads where project_id = ${projectId}
      ) as here
    ), ${placesOf(sql, scope)}, found as materialized (
      select change.* from start cross join place cross join lateral (
        (select revision, profile, alias, false as is_deleted, models, constraints, metadata, metadata_bytes + names_bytes as bytes
          from aliases where ${behind} order by revision, alias limit ${rowsMax})
        union all
        (select revision, profile, alias, true, null, null, null, octet_length(profile) + octet_length(alias)
          from alias_history as gone where ${behind} and action = 'delete'
            and not exists (select 1 from aliases as now
              where now.project_id = ${projectId} and now.profile = gone.profile and now.alias = gone.alias)
            and not exists (select 1 from alias_history as later where later.project_id = ${projectId}
              and later.profile = gone.profile and later.alias = gone.alias and later.revision > gone.revision)
          order by revision, alias limit ${rowsMax})
      ) as change
      order by revision, profile, alias limit ${rowsMax}
    ), sized as (
      select *, row_number() over changes <= ${pageChangesMax} and sum(bytes) over changes - bytes <= ${pageBytesMax} as fits
      from found window changes as (order by revision, profile, alias)
    )
    select start.epoch, start.head::float8 as head, is_reset as "isReset", sized.revision::float8 as revision,
      sized.profile, sized.alias, is_deleted as "isDeleted", array_to_json(models)::text as models, constraints::text,
      metadata::text, (select min(revision) from sized where not fits)::float8 as "cutAt"
    from start left join sized on fits
    order by sized.revision, sized.profile, sized.alias`
  const rows = await bounded(query, readMsMax)
  const [first] = rows
  if (first === undefined) return { head: null, rows: [], cutAt: null }
  const head = { epoch: first.epoch, revision: first.head, isReset: first.isReset }
  return { head, rows: rows.filter((row): row is Row & ChangedRow => row.alias !== null), cutAt: first.cutAt }
}

/**
 * What each revision behind `since` changed, up to `until`; undefined where that is too much, or the epoch is another one.
 * By the key of the history, which is ordered by revision.
 */
async function readEach(
  sql: Sql,
  { projectId, profile }: Scope,
  epoch: string,
  since: number,
  until: number,
): Promise<EachRevision | undefined> {
  const { eachChangesMax, eachBytesMax, readMsMax } = SYNC_LIMITS
  const between = sql`project_id = ${projectId} and revision > ${since} and revision <= ${until}`
  const query = sql<(ChangedRow & { readonly fits: boolean })[]>`
    with changed as materialized (
      select revision, profile, alias, action = 'delete' as is_deleted, models, constraints, metadata,
        octet_length(profile) + octet_length(alias) + coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(constraints::text), 0) as bytes
      from alias_history where ${between} ${profile === null ? sql`` : sql`and profile = ${profile}`}
      order by revision, profile, alias limit ${eachChangesMax + 1}
    ), sized as (
      select count(*) <= ${eachChangesMax} and coalesce(sum(bytes), 0) <= ${eachBytesMax} as fits from changed
    ), touched as (
      select revision from alias_revisions
      where ${between} ${profile === null ? sql`` : sql`and ${profile} = any(profiles)`}
    )
    select touched.revision::float8 as revision, sized.fits, changed.profile, alias, coalesce(is_deleted, false) as "isDeleted",
      array_to_json(models)::text as models, constraints::text, metadata::text
    from alias_heads cross join sized cross join touched left join changed on changed.revision = touched.revision
    where alias_heads.project_id = ${projectId} and alias_heads.epoch = ${epoch}::uuid and (sized.fits or alias is null)
    order by touched.revision, changed.profile, alias`
  const found = await bounded(query, readMsMax)
  if (found.length === 0 || found.some(({ fits }) => !fits)) return undefined
  const rows = found.filter(({ alias }) => alias !== null)
  return { revisions: [...new Set(found.map(({ revision }) => revision))], rows }
}

/** The profiles to look at. All of a project: from one to the next by the indexes, since each has many rows there. */
function placesOf(sql: Sql, { projectId, profile }: Scope) {
  if (profile !== null) return sql`place as materialized (select ${profile}::text collate "C" as profile)`
  const next = (where: ReturnType<typeof sql>) => sql`(select profile from ${where} order by profile limit 1)`
  const chain = (from: ReturnType<typeof sql>, last: string) => sql`
      ${next(from)}
      union all
      select ${next(sql`${from} and profile > ${sql(last)}.profile`)} from ${sql(last)} where ${sql(last)}.profile is not null`
  return sql`
    living(profile) as (${chain(sql`aliases where project_id = ${projectId}`, 'living')}),
    losing(profile) as (${chain(sql`alias_history where project_id = ${projectId} and action = 'delete'`, 'losing')}),
    place as materialized (
      select profile from living where profile is not null union select profile from losing where profile is not null)`
}
