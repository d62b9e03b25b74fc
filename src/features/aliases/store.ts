import { and, asc, eq, gt, or, sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { bounded } from '../../db/bounded.js'
import type { Sql } from '../../db/client.js'
import { confirmCompleted, confirmRow, confirmRows } from '../../db/confirm.js'
import type { Orm } from '../../db/orm.js'
import { aliases, aliasHeads, aliasHistory } from '../../db/tables/aliases.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'

export type Head = { readonly revision: number; readonly lastId: number; readonly aliasCount: number }
export type LoadedProfile = {
  readonly revision: number
  readonly bindings: readonly { alias: string; models: string[] }[]
}
export type AliasStore = ReturnType<typeof createAliasStore>

export function createAliasStore(db: { readonly sql: Sql; readonly orm: Orm }) {
  return {
    /** Head and bindings in one statement, so that the revision is the one that the bindings are from. */
    loadProfile: async (projectId: ProjectId, profile: string): Promise<LoadedProfile> => {
      const query = db.sql<{ revision: string; alias: string | null; models: string[] | null }[]>`
        select head.revision, aliases.alias, array_to_json(aliases.models) as models
        from (select coalesce(max(revision), 0) as revision from alias_heads where project_id = ${projectId}) as head
        left join aliases on aliases.project_id = ${projectId} and aliases.profile = ${profile}`
      const rows = await bounded(query, ALIAS_LIMITS.loadMsMax)
      const bindings = rows.flatMap(({ alias, models }) =>
        alias === null || models === null ? [] : [{ alias, models }],
      )
      return { revision: Number(rows[0]?.revision ?? 0), bindings }
    },

    list: async (projectId: ProjectId, profile: string | undefined): Promise<Alias[]> => {
      const inProfile = profile === undefined ? undefined : eq(aliases.profile, profile)
      const rows = await db.orm
        .select()
        .from(aliases)
        .where(and(eq(aliases.projectId, projectId), inProfile))
        .orderBy(asc(aliases.alias), asc(aliases.profile))
      return rows as unknown as Alias[]
    },

    find: async (key: AliasKey): Promise<Alias | undefined> => {
      const [row] = await db.orm.select().from(aliases).where(isAlias(key))
      return row as unknown as Alias | undefined
    },

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
     * take about as long as two single ones.
     */
    write: async (tx: Tx, writer: Writer, head: Head, bindings: readonly Binding[], at: Date): Promise<Alias[]> => {
      const input = JSON.stringify(bindings.map((binding, ordinal) => ({ ordinal, ...binding })))
      const rows = await ormOf(tx).execute(sql`
        with input as materialized (
          select * from jsonb_to_recordset(${input}::jsonb)
            as t(ordinal integer, profile text, alias text, models text[], constraints jsonb, metadata jsonb)
        ), fresh as (
          select profile, alias, ${head.lastId}::integer + row_number() over (order by ordinal) as id from input
          where not exists (select 1 from aliases where project_id = ${writer.projectId} and aliases.profile = input.profile and aliases.alias = input.alias)
        ), written as (
          insert into aliases (project_id, profile, alias, id, models, constraints, metadata, revision, created_at, updated_at)
          select ${writer.projectId}::uuid, profile, alias, coalesce(fresh.id, 0), models, nullif(constraints, 'null'), nullif(metadata, 'null'),
            ${head.revision}::bigint, ${at.toISOString()}::timestamptz, ${at.toISOString()}::timestamptz
          from input left join fresh using (profile, alias)
          on conflict (project_id, profile, alias) do update set models = excluded.models, constraints = excluded.constraints,
            metadata = excluded.metadata, revision = excluded.revision, updated_at = excluded.updated_at
          returning *
        ), history as (
          insert into alias_history (project_id, revision, profile, alias, action, models, constraints, metadata, key_id, changed_at)
          select project_id, revision, profile, alias, 'set', models, constraints, metadata, ${writer.keyId}::uuid, updated_at from written
        ), counted as (
          update alias_heads set last_id = last_id + (select count(*) from fresh), alias_count = alias_count + (select count(*) from fresh)
          where project_id = ${writer.projectId}
        )
        select written.*, array_to_json(written.models) as models from written join input using (profile, alias) order by ordinal`)
      return confirmRows(rows, bindings.length).map(readRow)
    },

    /** Deletes an alias, with its history and the counters: its revision, or undefined, and nothing changed, where it was not there. */
    remove: async (tx: Tx, writer: Writer, key: AliasKey, at: Date): Promise<number | undefined> => {
      // The head first, as every writer does: two orders of locks would deadlock.
      const [locked] = await ormOf(tx)
        .select()
        .from(aliasHeads)
        .where(eq(aliasHeads.projectId, key.projectId))
        .for('update')
      if (locked === undefined) return undefined
      const gone = await ormOf(tx).delete(aliases).where(isAlias(key)).returning({ alias: aliases.alias })
      if (gone.length === 0) return undefined
      const revision = locked.revision + 1
      const counters = { revision, aliasCount: sql`${aliasHeads.aliasCount} - 1` }
      const counted = await ormOf(tx).update(aliasHeads).set(counters).where(eq(aliasHeads.projectId, key.projectId))
      confirmCompleted(counted, 'UPDATE', 1)
      const { projectId, profile, alias } = key
      const entry = {
        projectId,
        revision,
        profile,
        alias,
        action: 'delete' as const,
        keyId: writer.keyId,
        changedAt: at,
      }
      confirmCompleted(await ormOf(tx).insert(aliasHistory).values(entry), 'INSERT', 1)
      return revision
    },

    /** The head is locked first, as every writer does, and goes last: nobody starts counting ids anew beside old rows. */
    eraseChunk: async (tx: Tx, projectId: ProjectId, rowsMax: number): Promise<number> => {
      const inTx = sqlOf(tx)
      await inTx`select 1 from alias_heads where project_id = ${projectId} for update`
      const gone = await inTx`
        delete from aliases where project_id = ${projectId} and (profile, alias) in
          (select profile, alias from aliases where project_id = ${projectId} limit ${rowsMax})`
      const forgotten = await inTx`
        delete from alias_history where project_id = ${projectId} and (revision, profile, alias) in
          (select revision, profile, alias from alias_history where project_id = ${projectId} limit ${rowsMax})`
      const erased = confirmCompleted(gone, 'DELETE').count + confirmCompleted(forgotten, 'DELETE').count
      if (erased === 0) confirmCompleted(await inTx`delete from alias_heads where project_id = ${projectId}`, 'DELETE')
      return erased
    },

    findHead: async (projectId: ProjectId): Promise<Head | undefined> => {
      const [head] = await db.orm.select().from(aliasHeads).where(eq(aliasHeads.projectId, projectId))
      return head
    },

    pageOfAliases: (projectId: ProjectId, afterId: number, limit: number): Promise<Alias[]> =>
      db.orm
        .select()
        .from(aliases)
        .where(and(eq(aliases.projectId, projectId), gt(aliases.id, afterId)))
        .orderBy(asc(aliases.id))
        .limit(limit) as unknown as Promise<Alias[]>,

    pageOfHistory: (projectId: ProjectId, after: HistoryPlace | undefined, limit: number) =>
      db.orm
        .select()
        .from(aliasHistory)
        .where(and(eq(aliasHistory.projectId, projectId), after === undefined ? undefined : isLater(after)))
        .orderBy(asc(aliasHistory.revision), asc(aliasHistory.profile), asc(aliasHistory.alias))
        .limit(limit),
  }
}

export type HistoryPlace = { readonly revision: number; readonly profile: string; readonly alias: string }

const isAlias = (key: AliasKey) =>
  and(eq(aliases.projectId, key.projectId), eq(aliases.profile, key.profile), eq(aliases.alias, key.alias))

const isLater = (place: HistoryPlace) =>
  or(
    gt(aliasHistory.revision, place.revision),
    and(eq(aliasHistory.revision, place.revision), gt(aliasHistory.profile, place.profile)),
    and(
      eq(aliasHistory.revision, place.revision),
      eq(aliasHistory.profile, place.profile),
      gt(aliasHistory.alias, place.alias),
    ),
  )

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
