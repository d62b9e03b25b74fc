import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import { ALIAS_LIMITS } from './limits.js'
import type { ListedAlias } from './list-store.js'

export type HistoryPosition = { readonly revision: number; readonly profile: string; readonly alias: string }
/** A change of an alias as it is exported: its JSON columns are texts that nothing has to read on their way out. */
export type ExportedChange = HistoryPosition & {
  readonly action: 'set' | 'delete'
  readonly models: readonly string[] | null
  readonly constraints: string | null
  readonly metadata: string | null
  readonly keyId: string | null
  readonly changedAt: Date
  readonly place: number | null
}
/** Rows with a revision above `after`, whole revisions together; `text` is the row as JSON. */
export type ReadRevisionRows = (
  projectId: ProjectId,
  after: number,
  rowsMax: number,
) => Promise<{ readonly rows: readonly RevisionText[]; readonly isLast: boolean }>
type RevisionText = { readonly revision: number; readonly text: string }
export type ExportStore = ReturnType<typeof createExportStore>

type Held = { readonly held: number; readonly revision: number }

/**
 * At most `rowsMax` rows and one page's bytes (but one row at least). Without a position it starts at the beginning.
 */
export function createExportStore(sql: Sql) {
  return {
    revisions: rowsOf(sql, 'alias_revisions', 1),
    /** A header may be as large as the metadata of a lockfile. */
    headers: rowsOf(sql, 'lock_headers', 16),
    digests: rowsOf(sql, 'lock_digests', 1),

    /** By id. */
    pageOfAliases: async (projectId: ProjectId, afterId: number, rowsMax: number) => {
      const rows = await sql<(ListedAlias & Held)[]>`
        with page as materialized (
          select *, metadata_bytes + names_bytes as large from aliases
          where project_id = ${projectId} and id > ${afterId} order by id limit ${rowsMax}
        ), sized as (
          select *, sum(large) over (order by id) - large as before, count(*) over () as held from page
        )
        select project_id as "projectId", id, profile, alias, array_to_json(models) as models, constraints::text, metadata::text,
          revision::float8 as revision, created_at as "createdAt", updated_at as "updatedAt", held::float8 as held
        from sized where before <= ${ALIAS_LIMITS.pageBytesMax} - large or before = 0
        order by id`
      return { rows, isLast: rows.length === (rows[0]?.held ?? 0) }
    },

    /** Oldest first. */
    pageOfHistory: async (projectId: ProjectId, after: HistoryPosition | undefined, rowsMax: number) => {
      const later =
        after === undefined
          ? sql``
          : sql`and (revision, profile, alias) > (${after.revision}, ${after.profile}, ${after.alias})`
      const rows = await sql<(ExportedChange & Held)[]>`
        with page as materialized (
          select * from alias_history where project_id = ${projectId} ${later}
          order by revision, profile, alias limit ${rowsMax}
        ), measured as materialized (
          select *, coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(constraints::text), 0)
            + coalesce(octet_length(models::text), 0) as large
          from page
        ), sized as (
          select *, sum(large) over (order by revision, profile, alias) - large as before, count(*) over () as held
          from measured
        )
        select revision::float8 as revision, profile, alias, action, array_to_json(models) as models, constraints::text,
          metadata::text, key_id as "keyId", changed_at as "changedAt", place, held::float8 as held
        from sized where before <= ${ALIAS_LIMITS.pageBytesMax} - large or before = 0
        order by sized.revision, profile, alias`
      return { rows, isLast: rows.length === (rows[0]?.held ?? 0) }
    },
  }
}

/** A revision has few rows of these tables, so a page ends with a whole one. `weight`: as how many a row counts. */
function rowsOf(sql: Sql, table: string, weight: number): ReadRevisionRows {
  return async (projectId, after, rowsMax) => {
    const limit = Math.max(1, Math.floor(rowsMax / weight))
    const rows = await sql<RevisionText[]>`
      select revision::float8 as revision, row_to_json(one)::text as text
      from (
        select * from ${sql(table)} where project_id = ${projectId} and revision > ${after}
        order by revision fetch first ${limit} rows with ties
      ) as one
      order by revision`
    return { rows, isLast: rows.length < limit }
  }
}
