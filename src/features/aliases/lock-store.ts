import type { ProjectId } from '../../access/principal.js'
import { sqlOf, type Tx } from '../../db/transact.js'
import type { WrittenBinding } from './head.js'
import type { LockChange, LockHeaderRow } from './lock-document.js'

export type LockStore = typeof lockStore
type LockState = LockChange & { readonly header: LockHeaderRow | undefined; readonly updatedAt: string | undefined }

export const lockStore = {
  /** What changed after one revision until another, which is the head's: from 0 on, all that is bound. */
  readLock: async (tx: Tx, projectId: ProjectId, since: number, revision: number): Promise<LockState> => {
    const sql = sqlOf(tx)
    const [bindings, removed, headers, revisions] = await Promise.all([
      sql<WrittenBinding[]>`
        select profile, alias, array_to_json(models) as models, constraints::text as constraints, place
        from aliases where project_id = ${projectId} and revision > ${since}`,
      since === 0
        ? []
        : sql<{ profile: string; alias: string }[]>`
            select distinct profile, alias from alias_history
            where project_id = ${projectId} and revision > ${since} and action = 'delete'`,
      sql<LockHeaderRow[]>`
        select header::text as text, revision::float8 as revision from lock_headers
        where project_id = ${projectId} order by lock_headers.revision desc limit 1`,
      sql<{ updatedAt: string | null }[]>`
        select lock_updated_at as "updatedAt" from alias_revisions where project_id = ${projectId} and revision = ${revision}`,
    ])
    return { bindings, removed, header: headers[0], updatedAt: revisions[0]?.updatedAt ?? undefined }
  },
}
