import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import { HISTORY_LIMITS } from './limits.js'

/** Where a change stands in the history. */
export type ChangePosition = { readonly revision: number; readonly profile: string; readonly alias: string }
/** A change, newest first. `before` and `after` are JSON texts, null where the alias was not bound. */
export type HistoryRow = ChangePosition & {
  readonly at: Date
  readonly keyId: string | null
  readonly note: string | null
  readonly action: 'set' | 'delete'
  readonly before: string | null
  readonly after: string | null
}
export type HistoryFilter = {
  readonly profile: string | undefined
  readonly alias: string | undefined
  readonly action: 'set' | 'delete' | undefined
  readonly revision: number | undefined
}
type HistoryPage = { readonly rows: readonly HistoryRow[]; readonly isLast: boolean }
export type ReadHistory = (
  projectId: ProjectId,
  filter: HistoryFilter,
  after: ChangePosition | undefined,
  rowsMax: number,
) => Promise<HistoryPage>

/** At most `rowsMax` changes and one page's bytes, but one change at least. */
export function createReadHistory(sql: Sql): ReadHistory {
  return async (projectId, { profile, alias, action, revision }, after, rowsMax) => {
    const older =
      after === undefined
        ? sql``
        : sql`and (revision, profile, alias) < (${after.revision}, ${after.profile}, ${after.alias})`
    const rows = await sql<(HistoryRow & { readonly held: number })[]>`
      with page as materialized (
        select * from alias_history
        where project_id = ${projectId} ${older}
          ${profile === undefined ? sql`` : sql`and profile = ${profile}`}
          ${alias === undefined ? sql`` : sql`and alias = ${alias}`}
          ${action === undefined ? sql`` : sql`and action = ${action}`}
          ${revision === undefined ? sql`` : sql`and revision = ${revision}`}
        order by revision desc, profile desc, alias desc limit ${rowsMax + 1}
      ), shown as materialized (
        select page.revision, page.profile, page.alias, page.action, page.changed_at, page.key_id, revisions.note,
          ${meaning(sql, 'page')} as after, ${meaning(sql, 'earlier')} as before
        from page
        left join alias_revisions as revisions on revisions.project_id = ${projectId} and revisions.revision = page.revision
        left join lateral (
          select * from alias_history as earlier
          where earlier.project_id = ${projectId} and earlier.profile = page.profile and earlier.alias = page.alias
            and earlier.revision < page.revision
          order by earlier.revision desc limit 1
        ) as earlier on true
      ), sized as (
        select *, row_number() over changes as ordinal, count(*) over () as held,
          sum(coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0)) over changes
            - coalesce(octet_length(before), 0) - coalesce(octet_length(after), 0) as bytes_before
        from shown window changes as (order by revision desc, profile desc, alias desc)
      )
      select revision::float8 as revision, profile, alias, action, changed_at as at, key_id as "keyId", note, before, after,
        held::float8 as held
      from sized where ordinal <= ${rowsMax} and (bytes_before <= ${HISTORY_LIMITS.pageBytesMax} or ordinal = 1)
      order by sized.revision desc, profile desc, alias desc`
    return { rows, isLast: rows.length === (rows[0]?.held ?? 0) }
  }
}

/** What an alias meant, as JSON text; null if it was not bound. */
const meaning = (sql: Sql, row: 'page' | 'earlier') => sql`
  case when ${sql(row)}.action = 'set' then concat('{"models":', array_to_json(${sql(row)}.models), ',"constraints":', coalesce(${sql(row)}.constraints::text, 'null'),
    ',"metadata":', coalesce(${sql(row)}.metadata::text, 'null'), '}') end`
