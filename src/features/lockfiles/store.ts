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
export type LockfileStore = ReturnType<typeof createLockfileStore>

export function createLockfileStore(sql: Sql) {
  return {
    bindingsIn: (tx: Tx, projectId: ProjectId) => bindingsNow(sqlOf(tx), projectId),
    lockIn: (tx: Tx, projectId: ProjectId, revision: number) => lockAt(sqlOf(tx), projectId, revision),
    lockAt: (projectId: ProjectId, revision: number) => lockAt(sql, projectId, revision),
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

async function lockAt(sql: AnySql, projectId: ProjectId, revision: number): Promise<HeldLock | undefined> {
  const [row] = await sql<HeldLock[]>`
    select lock_headers.header::text as header, lock_updated_at as "updatedAt", changed_at as "changedAt",
      (select changed_at from alias_revisions where project_id = ${projectId} order by revision limit 1) as "firstChangedAt"
    from alias_revisions
    left join lock_headers on lock_headers.project_id = ${projectId} and lock_headers.revision = header_revision
    where alias_revisions.project_id = ${projectId} and alias_revisions.revision = ${revision}`
  return row
}
