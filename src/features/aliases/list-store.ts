import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Alias } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'

/** An alias as it is listed: constraints and metadata are JSON texts that nothing has to read on their way out. */
export type ListedAlias = Omit<Alias, 'constraints' | 'metadata'> & {
  readonly constraints: string | null
  readonly metadata: string | null
}
/** Where an alias stands in the list of all. */
export type AliasPosition = Pick<Alias, 'alias' | 'profile'>
type ListQuery = {
  readonly profile: string | undefined
  readonly after: AliasPosition | undefined
  readonly rowsMax: number
}
/** `isLast`: there was nothing behind these when they were read. */
export type ListPage = { readonly rows: readonly ListedAlias[]; readonly isLast: boolean }
export type ReadPage = (projectId: ProjectId, query: ListQuery) => Promise<ListPage>

type Row = Omit<ListedAlias, 'id' | 'revision'> & {
  readonly id: number
  readonly revision: string
  readonly held: string
}

/**
 * Aliases by name, then profile, from one place on: at most `rowsMax`, and no more than one page's bytes (but one alias
 * at least). The sizes are columns, so that what is left out is not even read. Without a position it starts at the
 * beginning: no name is empty.
 */
export function createListStore(sql: Sql): ReadPage {
  return async (projectId, { profile, after = { alias: '', profile: '' }, rowsMax }) => {
    const inProfile = profile === undefined ? sql`` : sql`and profile = ${profile}`
    const rows = await sql<Row[]>`
      with page as materialized (
        select * from aliases
        where project_id = ${projectId} ${inProfile} and (alias, profile) > (${after.alias}, ${after.profile})
        order by alias, profile limit ${rowsMax + 1}
      ), sized as (
        select *, row_number() over names as ordinal, sum(metadata_bytes + names_bytes) over names as until,
          count(*) over () as held
        from page window names as (order by alias, profile)
      )
      select project_id as "projectId", id, profile, alias, array_to_json(models) as models, constraints::text, metadata::text,
        revision, created_at as "createdAt", updated_at as "updatedAt", held
      from sized where ordinal <= ${rowsMax} and until - metadata_bytes - names_bytes <= ${ALIAS_LIMITS.pageBytesMax}
      order by alias, profile`
    const held = Number(rows[0]?.held ?? 0)
    return { rows: rows.map((row) => ({ ...row, revision: Number(row.revision) })), isLast: rows.length === held }
  }
}
