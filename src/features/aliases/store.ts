import { and, eq } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted } from '../../db/confirm.js'
import { eraseRows } from '../../db/erase-rows.js'
import type { Orm } from '../../db/orm.js'
import { aliases, aliasHeads } from '../../db/tables/aliases.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import type { Alias, AliasKey } from './alias.js'
import type { AliasHead } from './confirm-snapshots.js'
import { NO_EPOCH } from './etags.js'
import type { Head } from './head.js'
import { ALIAS_LIMITS } from './limits.js'
import { createListStore } from './list-store.js'
import { lockStore } from './lock-store.js'
import { publishStore } from './publish-store.js'
import { remove } from './remove-store.js'
import { write } from './write-store.js'

/** `model` and `models` are JSON texts: of 20,000 aliases nothing has to be parsed and written anew. */
export type LoadedBinding = {
  readonly alias: string
  readonly model: string
  readonly models: string
  /** Of an alias with a wildcard its constraints, as JSON text (`null` if there are none); else null or absent. */
  readonly wildcardConstraints?: string | null
}
export type LoadedProfile = AliasHead & { readonly bindings: readonly LoadedBinding[] }
export type AliasStore = ReturnType<typeof createAliasStore>

export function createAliasStore({ sql, orm }: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    ...publishStore,
    ...lockStore,
    ...{ write, remove },
    eraseChunk,
    listPage: createListStore(sql),
    loadProfile: (projectId: ProjectId, profile: string, alias?: string) => loadProfile(sql, projectId, profile, alias),
    findIn: (tx: Tx, key: AliasKey) => findAlias(ormOf(tx), key),
    findHead: (projectId: ProjectId) => findHead(orm, projectId),
    readHeads: (projectIds: readonly ProjectId[]) => readHeads(sql, projectIds),
  }
}

/**
 * Head and bindings in one statement, so that the revision is the one that the bindings are from. With an alias, only
 * its binding.
 */
async function loadProfile(sql: Sql, projectId: ProjectId, profile: string, alias?: string): Promise<LoadedProfile> {
  const only = alias === undefined ? sql`` : sql`and aliases.alias = ${alias}`
  const query = sql<({ revision: string; epoch: string } & (LoadedBinding | { alias: null }))[]>`
    select head.revision, head.epoch, aliases.alias, to_json(aliases.models[1])::text as model, array_to_json(aliases.models)::text as models,
      case when array_to_string(aliases.models, ' ') like '%:*%' then coalesce(aliases.constraints::text, 'null') end as "wildcardConstraints"
    from (
      select coalesce(max(revision), 0) as revision, coalesce(max(epoch::text), ${NO_EPOCH}) as epoch
      from alias_heads where project_id = ${projectId}
    ) as head
    left join aliases on aliases.project_id = ${projectId} and aliases.profile = ${profile} ${only}`
  const rows = await bounded(query, ALIAS_LIMITS.loadMsMax)
  const bindings = rows.filter((row) => row.alias !== null)
  return { epoch: rows[0]?.epoch ?? NO_EPOCH, revision: Number(rows[0]?.revision ?? 0), bindings }
}

/** The heads of projects, without those that never had an alias. */
async function readHeads(sql: Sql, projectIds: readonly ProjectId[]): Promise<Map<ProjectId, AliasHead>> {
  const query = sql<{ projectId: ProjectId; epoch: string; revision: string }[]>`
    select project_id as "projectId", epoch, revision from alias_heads
    where project_id in (select id::uuid from unnest(${arrayText(projectIds)}::text::text[]) as id)`
  const rows = await bounded(query, ALIAS_LIMITS.loadMsMax)
  return new Map(rows.map(({ projectId, epoch, revision }) => [projectId, { epoch, revision: Number(revision) }]))
}

async function findAlias(orm: Orm, key: AliasKey): Promise<Alias | undefined> {
  const [row] = await orm.select().from(aliases).where(isAlias(key))
  return row as unknown as Alias | undefined
}

async function findHead(orm: Orm, projectId: ProjectId): Promise<Head | undefined> {
  const [head] = await orm.select().from(aliasHeads).where(eq(aliasHeads.projectId, projectId))
  return head
}

const ERASED_IN_CHUNKS = [
  { table: 'aliases', key: ['profile', 'alias'] },
  { table: 'alias_history', key: ['revision', 'profile', 'alias'] },
  { table: 'alias_revisions', key: ['revision'] },
  { table: 'lock_headers', key: ['revision'] },
  { table: 'lock_digests', key: ['digest'] },
] as const

/** The head is locked first, as every writer does, and goes last: no write starts counting ids anew beside old rows. */
async function eraseChunk(tx: Tx, projectId: ProjectId, rowsMax: number): Promise<number> {
  const inTx = sqlOf(tx)
  await inTx`select 1 from alias_heads where project_id = ${projectId} for update`
  let erased = 0
  for (const rows of ERASED_IN_CHUNKS) erased += await eraseRows(inTx, { ...rows, projectId, rowsMax })
  if (erased === 0) confirmCompleted(await inTx`delete from alias_heads where project_id = ${projectId}`, 'DELETE')
  return erased
}

const isAlias = (key: AliasKey) =>
  and(eq(aliases.projectId, key.projectId), eq(aliases.profile, key.profile), eq(aliases.alias, key.alias))
