import type { ProjectId } from '../../access/principal.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import type { HeldBinding } from './compare.js'
import { LOCKFILES_LIMITS } from './limits.js'

/** What a revision's lockfile holds beside its bindings; null for revisions from before there were lockfiles. */
export type HeldLock = {
  readonly header: string | null
  readonly updatedAt: string | null
  /** When the revision was made, and the project's first one. */
  readonly changedAt: Date
  readonly firstChangedAt: Date
}
/** The lockfile that holds. `lock` is undefined for a project without one, `bindings` if they are too many bytes. */
export type LockfileNow = {
  readonly epoch: string
  readonly revision: number
  readonly lock: HeldLock | undefined
  readonly bindings: readonly HeldBinding[] | undefined
}
export type LockfileStore = ReturnType<typeof createLockfileStore>

export function createLockfileStore(sql: Sql) {
  return {
    bindingsIn: (tx: Tx, projectId: ProjectId) => bindingsNow(sqlOf(tx), projectId),
    lockIn: (tx: Tx, projectId: ProjectId, revision: number) => lockAt(sqlOf(tx), projectId, revision),
    lockAt: (projectId: ProjectId, revision: number, profile?: string) => lockAt(sql, projectId, revision, profile),
    readNow: (projectId: ProjectId, profile: string | undefined, bytesMax: number) =>
      readNow(sql, projectId, profile, bytesMax),
    bindingsAt: (projectId: ProjectId, revision: number, profile?: string) =>
      bindingsAt(sql, projectId, revision, profile),

    /** The revision that holds, and the digests of its lockfile; undefined for a project without one. */
    findHead: async (
      projectId: ProjectId,
    ): Promise<{ readonly revision: number; readonly digests: readonly string[] } | undefined> => {
      const query = sql<{ revision: number; digests: string[] }[]>`
        select revision::float8 as revision, to_json(array(
          select digest from lock_digests where project_id = ${projectId} and lock_digests.revision = alias_heads.revision
        )) as digests
        from alias_heads where project_id = ${projectId} and revision > 0`
      const [head] = await bounded(query, LOCKFILES_LIMITS.loadMsMax)
      return head
    },

    /** The revision whose lockfile has a digest, by whichever rule. */
    findDigest: async (projectId: ProjectId, digest: string): Promise<number | undefined> => {
      const query = sql<{ revision: number }[]>`
        select revision::float8 as revision from lock_digests where project_id = ${projectId} and digest = ${digest}`
      const [row] = await bounded(query, LOCKFILES_LIMITS.loadMsMax)
      return row?.revision
    },
  }
}

type AnySql = ReturnType<typeof sqlOf> | Sql

async function bindingsNow(sql: AnySql, projectId: ProjectId): Promise<HeldBinding[]> {
  return [
    ...(await sql<HeldBinding[]>`
      select profile, alias, array_to_json(models) as models, constraints::text, place
      from aliases where project_id = ${projectId} order by profile, place, alias`),
  ]
}

/**
 * What was bound at a revision, in the order of each profile. It costs what was changed since: what was not is read
 * from `aliases`, and of everything else its last change until then.
 */
async function bindingsAt(
  sql: Sql,
  projectId: ProjectId,
  revision: number,
  profile: string | undefined,
): Promise<HeldBinding[]> {
  const inProfile = profile === undefined ? sql`` : sql`and profile = ${profile}`
  const query = sql<HeldBinding[]>`
    with later as materialized (
      select distinct profile, alias from alias_history
      where project_id = ${projectId} and revision > ${revision} ${inProfile}
    ), bound as (
      select profile, alias, models, constraints::text as constraints, place from aliases
      where project_id = ${projectId} and revision <= ${revision} ${inProfile}
      union all
      select later.profile, later.alias, last.models, last.constraints, last.place
      from later cross join lateral (
        select action, models, constraints::text as constraints, place from alias_history as change
        where project_id = ${projectId} and change.profile = later.profile and change.alias = later.alias
          and change.revision <= ${revision}
        order by change.revision desc limit 1
      ) as last where last.action = 'set'
    )
    select profile, alias, array_to_json(models) as models, constraints, place from bound order by profile, place, alias`
  return [...(await bounded(query, LOCKFILES_LIMITS.loadMsMax))]
}

async function lockAt(
  sql: AnySql,
  projectId: ProjectId,
  revision: number,
  profile?: string,
): Promise<HeldLock | undefined> {
  const [row] = await sql<HeldLock[]>`${selectLock(sql, projectId, sql`${revision}`, profile)}`
  return row
}

/**
 * The lock of a revision. Of one profile the times are those of its own last change, so that its lockfile stays the same
 * when another profile changes.
 */
function selectLock(sql: AnySql, projectId: ProjectId, revision: Fragment, profile: string | undefined) {
  const ofProfile =
    profile === undefined
      ? sql`select null::text as lock_updated_at, null::timestamptz as changed_at where false`
      : sql`select lock_updated_at, changed_at from alias_revisions as change
          where project_id = ${projectId} and change.revision <= ${revision} and ${profile} = any(profiles)
          order by change.revision desc limit 1`
  return sql`
    select lock_headers.header::text as header,
      case when own.changed_at is null then at.lock_updated_at else own.lock_updated_at end as "updatedAt",
      coalesce(own.changed_at, at.changed_at) as "changedAt",
      (select changed_at from alias_revisions where project_id = ${projectId} order by revision limit 1) as "firstChangedAt"
    from alias_revisions as at
    left join lock_headers on lock_headers.project_id = ${projectId} and lock_headers.revision = at.header_revision
    left join lateral (${ofProfile}) as own on true
    where at.project_id = ${projectId} and at.revision = ${revision}`
}
type Fragment =
  ReturnType<typeof sqlOf> extends (first: TemplateStringsArray, ...rest: never[]) => infer Query ? Query : never

/** The lock comes with the first binding alone: a header may be large. */
async function readNow(
  sql: Sql,
  projectId: ProjectId,
  profile: string | undefined,
  bytesMax: number,
): Promise<LockfileNow> {
  const inProfile = profile === undefined ? sql`` : sql`and profile = ${profile}`
  // One statement, so that the revision is that of the rows.
  const query = sql<NowRow[]>`
    with head as (
      select revision, epoch from alias_heads where project_id = ${projectId}
    ), held as (
      select coalesce(sum(names_bytes + coalesce(octet_length(constraints::text), 0) + ${LOCKFILES_LIMITS.bindingBytes}::integer), 0) <= ${bytesMax} as fits
      from aliases where project_id = ${projectId} ${inProfile}
    ), bound as (
      select profile, alias, models, constraints::text as constraints, place,
        row_number() over (order by profile, place, alias) as ordinal
      from held join aliases on held.fits and project_id = ${projectId} ${inProfile}
    )
    select head.epoch, head.revision::float8 as revision, held.fits, lock.*, bound.profile, bound.alias,
      array_to_json(bound.models) as models, bound.constraints, bound.place
    from head cross join held left join bound on true
    left join lateral (${selectLock(sql, projectId, sql`head.revision`, profile)}) as lock on coalesce(bound.ordinal, 1) = 1
    order by bound.ordinal`
  const rows = await bounded(query, LOCKFILES_LIMITS.loadMsMax)
  const [first] = rows
  if (first === undefined) return { epoch: '', revision: 0, lock: undefined, bindings: [] }
  const { epoch, revision, fits, header, updatedAt, changedAt, firstChangedAt } = first
  const lock = changedAt === null ? undefined : { header, updatedAt, changedAt, firstChangedAt }
  const bindings = rows.filter((row): row is NowRow & HeldBinding => row.alias !== null)
  return { epoch, revision, lock, bindings: fits ? bindings : undefined }
}

type Nullable<T> = { readonly [Name in keyof T]: T[Name] | null }
type NowRow = Omit<HeldLock, 'changedAt'> &
  Nullable<Omit<HeldBinding, 'constraints'>> & {
    readonly constraints: string | null
    readonly epoch: string
    readonly revision: number
    readonly fits: boolean
    readonly changedAt: Date | null
  }
