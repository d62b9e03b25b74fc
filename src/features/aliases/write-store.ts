import { sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { confirmRow, confirmRows } from '../../db/confirm.js'
import { aliasHeads } from '../../db/tables/aliases.js'
import { ormOf, type Tx } from '../../db/transact.js'
import type { Alias, Binding, Writer } from './alias.js'

export type Head = {
  readonly revision: number
  readonly lastId: number
  readonly aliasCount: number
  readonly metadataBytes: number
  readonly namesBytes: number
}
/** What the project holds after a write; and, if one alias was written, that alias. */
export type Written = Pick<Head, 'aliasCount' | 'metadataBytes' | 'namesBytes'> & { readonly alias: Alias | undefined }

export const writeStore = {
  /** Takes the next revision: from here to the commit, this transaction alone writes the project's aliases. */
  takeRevision: async (tx: Tx, projectId: ProjectId): Promise<Head> => {
    const heads = await ormOf(tx)
      .insert(aliasHeads)
      .values({ projectId, revision: 1, lastId: 0, aliasCount: 0 })
      .onConflictDoUpdate({ target: aliasHeads.projectId, set: { revision: sql`${aliasHeads.revision} + 1` } })
      .returning()
    return confirmRow(heads)
  },

  /**
   * Writes bindings, their history and the head's counters in one statement, whatever their number: 1,000 of them
   * take about as long as two single ones. Of several nothing comes back but their number: they may be megabytes.
   */
  write: async (tx: Tx, writer: Writer, head: Head, bindings: readonly Binding[], at: Date): Promise<Written> => {
    const rows = await ormOf(tx).execute(sql`
      with input as materialized (
        select * from jsonb_to_recordset(${inputOf(bindings)}::jsonb)
          as t(ordinal integer, profile text, alias text, models text[], constraints jsonb, metadata jsonb)
      ), known as (
        select profile, alias, aliases.metadata_bytes, aliases.names_bytes from aliases join input using (profile, alias)
        where aliases.project_id = ${writer.projectId}
      ), fresh as (
        select profile, alias, ${head.lastId}::integer + row_number() over (order by ordinal) as id from input
        where not exists (select 1 from known where known.profile = input.profile and known.alias = input.alias)
      ), written as (
        insert into aliases (project_id, profile, alias, id, models, constraints, metadata, revision, created_at, updated_at, metadata_bytes, names_bytes)
        select ${writer.projectId}::uuid, profile, alias, coalesce(fresh.id, 0), models, nullif(constraints, 'null'), nullif(metadata, 'null'),
          ${head.revision}::bigint, ${at.toISOString()}::timestamptz, ${at.toISOString()}::timestamptz,
          coalesce(octet_length(nullif(metadata, 'null')::text), 0) + coalesce(octet_length(nullif(constraints, 'null')::text), 0),
          octet_length(profile) + octet_length(alias) + octet_length(array_to_string(models, ''))
        from input left join fresh using (profile, alias)
        on conflict (project_id, profile, alias) do update set models = excluded.models, constraints = excluded.constraints,
          metadata = excluded.metadata, revision = excluded.revision, updated_at = excluded.updated_at,
          metadata_bytes = excluded.metadata_bytes, names_bytes = excluded.names_bytes
        returning *
      ), history as (
        insert into alias_history (project_id, revision, profile, alias, action, models, constraints, metadata, key_id, changed_at)
        select project_id, revision, profile, alias, 'set', models, constraints, metadata, ${writer.keyId}::uuid, updated_at from written
      ), sums as (
        select (select count(*) from fresh) as added, (select count(*) from written) as rows,
          (select coalesce(sum(metadata_bytes), 0) from written) - (select coalesce(sum(metadata_bytes), 0) from known) as metadata_bytes,
          (select coalesce(sum(names_bytes), 0) from written) - (select coalesce(sum(names_bytes), 0) from known) as names_bytes
      ), counted as (
        update alias_heads set last_id = last_id + sums.added, alias_count = alias_count + sums.added,
          metadata_bytes = alias_heads.metadata_bytes + sums.metadata_bytes, names_bytes = alias_heads.names_bytes + sums.names_bytes
        from sums where project_id = ${writer.projectId}
        returning alias_count, alias_heads.metadata_bytes as held_metadata_bytes, alias_heads.names_bytes as held_names_bytes, sums.rows
      )
      select counted.*, one.*, array_to_json(one.models) as models
      from counted left join written as one on ${bindings.length === 1}`)
    const row = confirmRow(rows)
    confirmRows({ length: Number(row['rows']) }, bindings.length)
    return {
      aliasCount: Number(row['alias_count']),
      metadataBytes: Number(row['held_metadata_bytes']),
      namesBytes: Number(row['held_names_bytes']),
      alias: bindings.length === 1 ? readRow(row) : undefined,
    }
  },
}

/** The contents are JSON texts already. */
function inputOf(bindings: readonly Binding[]): string {
  const items = bindings.map(
    ({ profile, alias, content }, ordinal) =>
      `{"ordinal":${ordinal},"profile":${JSON.stringify(profile)},"alias":${JSON.stringify(alias)},${content.slice(1)}`,
  )
  return `[${items.join(',')}]`
}

function readRow(row: Record<string, unknown>): Alias {
  return {
    projectId: row['project_id'] as ProjectId,
    profile: row['profile'] as string,
    alias: row['alias'] as string,
    id: Number(row['id']),
    models: row['models'] as [string, ...string[]],
    constraints: row['constraints'] as Alias['constraints'],
    metadata: row['metadata'] as Alias['metadata'],
    revision: Number(row['revision']),
    createdAt: new Date(row['created_at'] as string),
    updatedAt: new Date(row['updated_at'] as string),
  }
}
