import type postgres from 'postgres'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import type { Sql } from '../../db/client.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import type { Difference, Meaning } from './change.js'
import { HISTORY_LIMITS } from './limits.js'

export type HistoryStore = ReturnType<typeof createHistoryStore>
export type ProfileSummary = {
  readonly name: string
  readonly aliases: number
  /** The last one that changed it, deletions included. */
  readonly revision: number
  readonly updatedAt: Date
}
type Between = { readonly from: string; readonly to: string; readonly aliases: readonly string[] | undefined }
type AtRevision = { readonly revision: number; readonly profile: string | undefined }

export function createHistoryStore(sql: Sql) {
  return {
    differencesFrom,
    differencesBetween,
    unboundOf,
    listProfiles: async (projectId: ProjectId): Promise<ProfileSummary[]> => [
      ...(await sql<ProfileSummary[]>`
        select profile as name, count(*)::integer as aliases, max(updated_at) as "updatedAt",
          greatest(max(revision), (
            select max(gone.revision) from alias_history as gone
            where gone.project_id = ${projectId} and gone.profile = aliases.profile and action = 'delete'
          ))::float8 as revision
        from aliases where project_id = ${projectId} group by profile order by profile`),
    ],
  }
}

/** What has to change so that everything is bound as it was at a revision, its order in lockfiles included. */
function differencesFrom(tx: Tx, projectId: ProjectId, { revision, profile }: AtRevision): Promise<Difference[]> {
  const sql = sqlOf(tx)
  const inProfile = profile === undefined ? sql`` : sql`and profile = ${profile}`
  // In the order of its index, read backwards.
  const wanted = sql`
    select profile, alias, models, constraints, metadata, place, place as ordering from (
      select distinct on (profile, alias) * from alias_history
      where project_id = ${projectId} and revision <= ${revision} ${inProfile}
      order by profile desc, alias desc, revision desc
    ) as last where action = 'set'`
  const now = sql`select * from aliases where project_id = ${projectId} ${inProfile}`
  return readDifferences(sql, wanted, now, sql`or wanted.place is distinct from now.place`)
}

/** What has to change so that one profile means what another does. Places are the new ones' own. */
function differencesBetween(tx: Tx, projectId: ProjectId, { from, to, aliases }: Between): Promise<Difference[]> {
  const sql = sqlOf(tx)
  const named = aliases === undefined ? sql`` : sql`and alias = any(${arrayText(aliases)}::text::text[])`
  const wanted = sql`
    select ${to}::text as profile, alias, models, constraints, metadata, null::float8 as place, place as ordering
    from aliases where project_id = ${projectId} and profile = ${from} ${named}`
  const now = sql`select * from aliases where project_id = ${projectId} and profile = ${to} ${named}`
  return readDifferences(sql, wanted, now, sql``)
}

/** Part of a statement, which is never run by itself. */
type Fragment = postgres.PendingQuery<postgres.Row[]>
type Row = {
  readonly profile: string
  readonly alias: string
  readonly before: Meaning | null
  readonly after: (Meaning & { readonly place: number | null }) | null
  readonly bytes: number
}

/** Ordered as they shall stand in a lockfile. Throws `conflict` if their metadata is too much to hold. */
async function readDifferences(
  sql: ReturnType<typeof sqlOf>,
  wanted: Fragment,
  now: Fragment,
  orMoved: Fragment,
): Promise<Difference[]> {
  const rows = await sql<Row[]>`
    with wanted as (${wanted}), now as (${now}), different as materialized (
      select profile, alias, wanted.ordering, wanted.place,
        now.alias is not null as is_bound, wanted.alias is not null as is_wanted,
        now.models as before_models, now.constraints::text as before_constraints, now.metadata::text as before_metadata,
        wanted.models, wanted.constraints::text as constraints, wanted.metadata::text as metadata
      from wanted full join now using (profile, alias)
      where wanted.alias is null or now.alias is null or wanted.models <> now.models
        or wanted.constraints::text is distinct from now.constraints::text or wanted.metadata is distinct from now.metadata ${orMoved}
    ), weighed as (
      select *, (sum(coalesce(octet_length(metadata), 0) + coalesce(octet_length(before_metadata), 0)) over ())::float8 as bytes
      from different
    )
    select profile, alias, bytes,
      case when is_bound then json_build_object('models', before_models, 'constraints', before_constraints,
        'metadata', case when bytes <= ${HISTORY_LIMITS.changedMetadataBytesMax} then before_metadata end) end as before,
      case when is_wanted then json_build_object('models', models, 'constraints', constraints,
        'metadata', case when bytes <= ${HISTORY_LIMITS.changedMetadataBytesMax} then metadata end, 'place', place) end as after
    from weighed order by ordering, profile, alias`
  if ((rows[0]?.bytes ?? 0) > HISTORY_LIMITS.changedMetadataBytesMax) {
    const detail = `At most ${HISTORY_LIMITS.changedMetadataBytesMax} bytes of metadata can change at once; name one profile, or fewer aliases. Nothing was written.`
    throw new AppError('conflict', detail)
  }
  return rows.map(({ profile, alias, before, after }) => ({ profile, alias, before, after }))
}

/** Why a promotion cannot be: a sentence about the first thing that is missing, or undefined. */
async function unboundOf(tx: Tx, projectId: ProjectId, { from, to, aliases }: Between): Promise<string | undefined> {
  const sql = sqlOf(tx)
  if (aliases === undefined) {
    const [row] = await sql`select 1 from aliases where project_id = ${projectId} and profile = ${from} limit 1`
    return row === undefined ? `No profile '${from}'.` : undefined
  }
  const [row] = await sql<{ alias: string }[]>`
    select alias from unnest(${arrayText(aliases)}::text::text[]) as alias
    where not exists (
      select 1 from aliases where project_id = ${projectId} and profile in (${from}, ${to}) and aliases.alias = alias.alias
    ) limit 1`
  return row === undefined ? undefined : `No alias '${row.alias}' in profile '${from}', nor in '${to}'.`
}
