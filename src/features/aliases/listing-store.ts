import type { ProjectId } from '../../access/principal.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import type { AliasKey } from './alias.js'
import type { AliasHead } from './confirm-snapshots.js'
import { NO_EPOCH } from './etags.js'
import { ALIAS_LIMITS } from './limits.js'
import type { ListedAlias } from './list-store.js'

/** A list, and the last revision that changed it, deletions included. */
export type WholeList = AliasHead & {
  readonly changed: number
  /** By name, then profile; undefined where they are more bytes than were asked for. */
  readonly rows: readonly ListedAlias[] | undefined
}
/** The list of a profile's aliases; of all, if no profile is named. */
export type ReadListing = (projectId: ProjectId, profile: string | undefined, bytesMax: number) => Promise<WholeList>
/** An alias as it is listed, and the epoch of its revision. */
export type FindListed = (key: AliasKey) => Promise<(ListedAlias & { readonly epoch: string }) | undefined>

type Row = Omit<ListedAlias, 'revision' | 'alias'> & {
  readonly headRevision: string
  readonly epoch: string
  readonly changed: string
  readonly fits: boolean
  readonly alias: string | null
  readonly revision: string
}

export function createListingStore(sql: Sql): { readonly readListing: ReadListing; readonly findListed: FindListed } {
  const columns = sql`
    aliases.project_id as "projectId", aliases.id, aliases.profile, aliases.alias, array_to_json(aliases.models) as models,
    aliases.constraints::text, aliases.metadata::text, aliases.revision, aliases.created_at as "createdAt", aliases.updated_at as "updatedAt"`
  return {
    readListing: async (projectId, profile, bytesMax) => {
      const inProfile = profile === undefined ? sql`` : sql`and profile = ${profile}`
      // One statement, so that the revisions are those of the rows. Its sizes are columns: what is too much is not read.
      const query = sql<Row[]>`
        with head as (
          select coalesce(max(revision), 0) as revision, coalesce(max(epoch::text), ${NO_EPOCH}) as epoch
          from alias_heads where project_id = ${projectId}
        ), held as (
          select coalesce(max(revision), 0) as changed,
            coalesce(sum(metadata_bytes + names_bytes + ${ALIAS_LIMITS.listedBytes}::integer), 0) <= ${bytesMax} as fits
          from aliases where project_id = ${projectId} ${inProfile}
        ), gone as (
          select coalesce(max(revision), 0) as changed
          from alias_history where project_id = ${projectId} ${inProfile} and action = 'delete'
        )
        select head.revision as "headRevision", head.epoch, greatest(held.changed, gone.changed) as changed, held.fits, ${columns}
        from head cross join held cross join gone
        left join aliases on held.fits and aliases.project_id = ${projectId} ${inProfile}
        order by aliases.alias, aliases.profile`
      const rows = await bounded(query, ALIAS_LIMITS.loadMsMax)
      const { headRevision = '0', epoch = NO_EPOCH, changed = '0', fits = false } = rows[0] ?? {}
      const revision = Number(headRevision)
      const listed = rows.filter((row): row is Row & { alias: string } => row.alias !== null)
      return {
        ...{ epoch, revision, changed: profile === undefined ? revision : Number(changed) },
        rows: fits ? listed.map((row) => ({ ...row, revision: Number(row.revision) })) : undefined,
      }
    },

    findListed: async ({ projectId, profile, alias }) => {
      const query = sql<(Row & { readonly alias: string })[]>`
        select head.epoch, ${columns} from aliases join alias_heads as head on head.project_id = aliases.project_id
        where aliases.project_id = ${projectId} and profile = ${profile} and alias = ${alias}`
      const [row] = await bounded(query, ALIAS_LIMITS.loadMsMax)
      return row === undefined ? undefined : { ...row, revision: Number(row.revision) }
    },
  }
}
