import type { ProjectId } from '../../../access/principal.js'
import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'
import { confirmCompleted } from '../../../db/confirm.js'
import { eraseRows } from '../../../db/erase-rows.js'
import type { UsageMark } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'

export type MarkKey = { readonly projectId: ProjectId; readonly key: string; readonly item: number }
/** A mark as it was kept. `answer` and `logId` are null for a whole batch. */
export type KeptMark = MarkKey & {
  readonly sha256: string
  readonly answer: string | null
  readonly logId: string | null
  readonly markedAt: Date
}
export type NewClaim = MarkKey & Pick<UsageMark, 'sha256' | 'markedAt'>
export type MarkStore = ReturnType<typeof createMarkStore>

export function createMarkStore(sql: Sql) {
  return {
    find: (keys: readonly MarkKey[]) => find(sql, keys),
    claim: (claim: NewClaim) => claimKey(sql, claim),
    purge: (beforeMs: number, rowsMax: number) => purge(sql, beforeMs, rowsMax),
    eraseChunk: (projectId: ProjectId, rowsMax: number) =>
      eraseRows(sql, { table: 'usage_marks', key: ['key', 'item'], projectId, rowsMax }),
    exportPage: (projectId: ProjectId, after: MarkPosition | null, rowsMax: number) =>
      exportPage(sql, projectId, after, rowsMax),
  }
}

/** The marks that were kept of these, in any order. */
async function find(sql: Sql, keys: readonly MarkKey[]): Promise<KeptMark[]> {
  return sql<KeptMark[]>`
    select project_id as "projectId", key, item, encode(sha256, 'hex') as sha256, answer, log_id as "logId",
      marked_at as "markedAt"
    from usage_marks join unnest(
      ${arrayText(keys.map(({ projectId }) => projectId))}::text::uuid[], ${arrayText(keys.map(({ key }) => key))}::text::text[],
      ${arrayText(keys.map(({ item }) => item))}::text::integer[]
    ) as asked (project_id, key, item) using (project_id, key, item)`
}

/** Takes a key for a whole batch, or finds who has it. Undefined if it was forgotten just now. */
async function claimKey(sql: Sql, { projectId, key, item, sha256, markedAt }: NewClaim): Promise<KeptMark | undefined> {
  confirmCompleted(
    await sql`
      insert into usage_marks (project_id, key, item, sha256, marked_at)
      values (${projectId}, ${key}, ${item}, decode(${sha256}, 'hex'), ${markedAt}::text::timestamptz)
      on conflict (project_id, key, item) do nothing`,
    'INSERT',
  )
  // A second statement: the first one's snapshot does not show what another instance has just committed.
  return (await find(sql, [{ projectId, key, item }]))[0]
}

/** Forgets the oldest marks from before a time, of all projects; answers how many. */
async function purge(sql: Sql, beforeMs: number, rowsMax: number): Promise<number> {
  const gone = await sql`
    with due as materialized (
      select project_id, key, item from usage_marks where marked_at < to_timestamp(${beforeMs}::float8 / 1000)
      order by marked_at limit ${rowsMax} for update skip locked
    )
    delete from usage_marks using due
    where usage_marks.project_id = due.project_id and usage_marks.key = due.key and usage_marks.item = due.item`
  return confirmCompleted(gone, 'DELETE').count
}

export type MarkPosition = { readonly key: string; readonly item: number }
/** A mark as it is exported. */
export type ExportedMark = MarkPosition & {
  readonly sha256: string
  readonly answer: string | null
  readonly log_id: string | null
  readonly marked_at: Date
}

async function exportPage(
  sql: Sql,
  projectId: ProjectId,
  after: MarkPosition | null,
  rowsMax: number,
): Promise<ExportedMark[]> {
  return sql<ExportedMark[]>`
    select key, item, encode(sha256, 'hex') as sha256, answer, log_id, marked_at from usage_marks
    where project_id = ${projectId}
      ${after === null ? sql`` : sql`and (key, item) > (${after.key}::text collate "C", ${after.item}::integer)`}
    order by key, item limit ${Math.min(rowsMax, USAGE_LIMITS.markPageRowsMax)}`
}
