import { sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { aliasHeads, type aliasRevisions } from '../../db/tables/aliases.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import type { Head } from './head.js'

type Row = Omit<typeof aliasRevisions.$inferSelect, 'projectId' | 'revision'>
/** What is said of a revision. `header`: the text of the lockfile's header if that is another one now. */
export type Entered = Row & { readonly digests: readonly string[]; readonly header: string | null }

export const publishStore = {
  /** From here to the end, this transaction alone writes the project's aliases. */
  lockHead: async (tx: Tx, projectId: ProjectId): Promise<Head | undefined> => {
    const [head] = await sqlOf(tx)<Head[]>`
      select epoch, revision::float8 as revision, last_id as "lastId", last_place as "lastPlace",
        alias_count as "aliasCount", metadata_bytes::float8 as "metadataBytes", names_bytes::float8 as "namesBytes"
      from alias_heads where project_id = ${projectId} for update`
    return head
  },

  /** The same of a project that has none yet. Another transaction may make it meanwhile: that one's is given. */
  makeHead: async (tx: Tx, projectId: ProjectId, epoch: string): Promise<Head> => {
    const first = { projectId, revision: 0, lastId: 0, aliasCount: 0, epoch }
    const target = { target: aliasHeads.projectId, set: { revision: sql`${aliasHeads.revision}` } }
    return confirmRow(await ormOf(tx).insert(aliasHeads).values(first).onConflictDoUpdate(target).returning())
  },

  /** The last step: the head with its new revision, the revision's own row, and its lockfile. */
  enter: async (tx: Tx, projectId: ProjectId, head: Head, { digests, header, ...row }: Entered): Promise<void> => {
    const { revision } = head
    // One statement: each by itself would wait for the database once more, with the project locked. A digest that an
    // earlier revision had, too, opens that one: they hold the same.
    const rows = await sqlOf(tx)<{ counted: number; entered: number; headed: number }[]>`
      with counted as (
        update alias_heads set revision = ${revision}, last_id = ${head.lastId}, last_place = ${head.lastPlace},
          alias_count = ${head.aliasCount}, metadata_bytes = ${head.metadataBytes}, names_bytes = ${head.namesBytes}
        where project_id = ${projectId} returning 1
      ), entered as (
        insert into alias_revisions (project_id, revision, profiles, kind, key_id, note, changed_at, lock_updated_at, header_revision)
        values (${projectId}, ${revision}, ${arrayText(row.profiles)}::text::text[], ${row.kind}, ${row.keyId}, ${row.note},
          ${row.changedAt}, ${row.lockUpdatedAt}, ${row.headerRevision}) returning 1
      ), headed as (
        insert into lock_headers (project_id, revision, header)
        select ${projectId}::uuid, ${revision}::bigint, ${header}::text::json where ${header}::text is not null returning 1
      ), digested as (
        insert into lock_digests (project_id, digest, revision)
        select ${projectId}::uuid, digest, ${revision}::bigint from unnest(string_to_array(${digests.join()}, ',')) as digest
        on conflict do nothing
      )
      select (select count(*)::integer from counted) as counted, (select count(*)::integer from entered) as entered,
        (select count(*)::integer from headed) as headed`
    const { counted, entered, headed } = confirmRow(rows)
    confirmCompleted({ command: 'UPDATE', count: counted }, 'UPDATE', 1)
    confirmCompleted({ command: 'INSERT', count: entered }, 'INSERT', 1)
    confirmCompleted({ command: 'INSERT', count: headed }, 'INSERT', header === null ? 0 : 1)
  },

  /** The last revision that changed one of these profiles; 0 if none did. */
  profilesRevision: async (tx: Tx, projectId: ProjectId, profiles: readonly string[]): Promise<number> => {
    const rows = await sqlOf(tx)<{ revision: number }[]>`
      select greatest(
        (select max(revision) from aliases where project_id = ${projectId} and profile = any(${arrayText(profiles)}::text::text[])),
        (select max(revision) from alias_history
          where project_id = ${projectId} and profile = any(${arrayText(profiles)}::text::text[]) and action = 'delete'), 0)::float8 as revision`
    return confirmRow(rows).revision
  },
}
