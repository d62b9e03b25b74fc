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
}
export type ExportStore = ReturnType<typeof createExportStore>

type Held = { readonly held: number; readonly revision: number }

/**
 * At most `rowsMax` rows and one page's bytes (but one row at least). Without a position it starts at the beginning.
 */
export function createExportStore(sql: Sql) {
  return {
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
          metadata::text, key_id as "keyId", changed_at as "changedAt", held::float8 as held
        from sized where before <= ${ALIAS_LIMITS.pageBytesMax} - large or before = 0
        order by sized.revision, profile, alias`
      return { rows, isLast: rows.length === (rows[0]?.held ?? 0) }
    },
  }
}
