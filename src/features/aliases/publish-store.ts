import { sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { arrayText } from '../../db/array-text.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { aliasHeads, aliasRevisions } from '../../db/tables/aliases.js'
import { ormOf, sqlOf, type Tx } from '../../db/transact.js'
import type { Alias, AliasKey, Binding, Writer } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'

/** A project's revision, the counters beside it, and the epoch in which they count. */
export type Head = {
  readonly epoch: string
  readonly revision: number
  readonly lastId: number
  readonly lastPlace: number
  readonly aliasCount: number
  readonly metadataBytes: number
  readonly namesBytes: number
}

/** A binding that a write changed, as a lockfile holds it. `constraints` is JSON text. */
export type WrittenBinding = {
  readonly profile: string
  readonly alias: string
  readonly models: readonly [string, ...string[]]
  readonly constraints: string | null
  readonly place: number
}
/** What a write did, and the head as it is afterwards. `alias`: the row, if one binding was sent and it changed. */
type Written = {
  readonly head: Head
  readonly bindings: readonly WrittenBinding[]
  readonly alias: Alias | undefined
}
export type Removed = { readonly head: Head; readonly keys: readonly Pick<AliasKey, 'profile' | 'alias'>[] }
export type RevisionRow = Omit<typeof aliasRevisions.$inferInsert, 'projectId' | 'revision'>

type Step = { readonly writer: Writer; readonly head: Head; readonly at: Date }
type Sums = { readonly metadata_bytes: string; readonly names_bytes: string }

export const publishStore = {
  /** From here to the end, this transaction alone writes the project's aliases. */
  lockHead: async (tx: Tx, projectId: ProjectId): Promise<Head | undefined> => {
    const [head] = await ormOf(tx).select().from(aliasHeads).where(isOf(projectId)).for('update')
    return head
  },

  /** The same of a project that has none yet. Another transaction may make it meanwhile: that one's is given. */
  makeHead: async (tx: Tx, projectId: ProjectId, epoch: string): Promise<Head> => {
    const first = { projectId, revision: 0, lastId: 0, aliasCount: 0, epoch }
    const target = { target: aliasHeads.projectId, set: { revision: sql`${aliasHeads.revision}` } }
    return confirmRow(await ormOf(tx).insert(aliasHeads).values(first).onConflictDoUpdate(target).returning())
  },

  write,
  remove,

  /** The last step: the head with its new revision, and the revision's own row. */
  advance: async (tx: Tx, projectId: ProjectId, head: Head, row: RevisionRow): Promise<void> => {
    const counted = await ormOf(tx).update(aliasHeads).set(head).where(isOf(projectId))
    confirmCompleted(counted, 'UPDATE', 1)
    const entered = await ormOf(tx)
      .insert(aliasRevisions)
      .values({ ...row, projectId, revision: head.revision })
    confirmCompleted(entered, 'INSERT', 1)
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

/**
 * Writes what differs from what is bound, with its history, in one statement, whatever their number: 1,000 bindings
 * take about as long as two single ones. Of several nothing large comes back: metadata may be megabytes. A binding that
 * `keeps` and names the model that is first already stays as it is, but for what it brings itself; one that
 * `keeps_metadata` keeps that alone.
 */
async function write(tx: Tx, { writer, head, at }: Step, bindings: readonly Binding[]): Promise<Written> {
  const rows = await ormOf(tx).execute(sql`
    with ${changesOf(writer.projectId, bindings)}, written as (
      insert into aliases (project_id, profile, alias, id, models, constraints, metadata, revision, created_at, updated_at, metadata_bytes, names_bytes, place)
      select ${writer.projectId}::uuid, profile, alias, coalesce(id, ${head.lastId}::integer + fresh_rank), models, constraints::json, metadata,
        ${head.revision + 1}::bigint, ${at.toISOString()}::timestamptz, ${at.toISOString()}::timestamptz,
        coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(constraints), 0),
        octet_length(profile) + octet_length(alias) + octet_length(array_to_string(models, '')),
        coalesce(place, ${head.lastPlace}::double precision + rank)
      from changed
      on conflict (project_id, profile, alias) do update set models = excluded.models, constraints = excluded.constraints,
        metadata = excluded.metadata, revision = excluded.revision, updated_at = excluded.updated_at,
        metadata_bytes = excluded.metadata_bytes, names_bytes = excluded.names_bytes, place = excluded.place
      returning *
    ), history as (
      insert into alias_history (project_id, revision, profile, alias, action, models, constraints, metadata, key_id, changed_at, place)
      select project_id, revision, profile, alias, 'set', models, constraints, metadata, ${writer.keyId}::uuid, updated_at, place from written
      returning 1
    ), sums as (
      select (select count(*) from changed where fresh) as added,
        (select coalesce(sum(metadata_bytes), 0) from written) - (select coalesce(sum(known_metadata_bytes), 0) from changed) as metadata_bytes,
        (select coalesce(sum(names_bytes), 0) from written) - (select coalesce(sum(known_names_bytes), 0) from changed) as names_bytes,
        (select max(place) from written) as last_place,
        (select count(*) from changed) as changes, (select count(*) from history) as entered,
        (select json_agg(json_build_object('profile', profile, 'alias', alias, 'models', models,
          'constraints', constraints::text, 'place', place) order by place, profile, alias) from written) as bindings
    )
    select sums.*, to_jsonb(one) as alias from sums left join written as one on ${bindings.length === 1}`)
  const row = confirmRow(rows) as unknown as Sums & WriteRow
  const written = row.bindings ?? []
  confirmCompleted({ command: 'INSERT', count: written.length }, 'INSERT', Number(row.changes))
  confirmCompleted({ command: 'INSERT', count: Number(row.entered) }, 'INSERT', written.length)
  return {
    head: { ...added(head, row, Number(row.added)), lastPlace: Math.max(head.lastPlace, row.last_place ?? 0) },
    bindings: written,
    alias: row.alias === null ? undefined : readRow(row.alias),
  }
}

/** `changed`: the bindings that differ from what is bound, each as it shall be, in their order. */
const changesOf = (projectId: ProjectId, bindings: readonly Binding[]) => sql`
    input as materialized (
      select ordinal, profile, alias, models, nullif(constraints::text, 'null') as constraints,
        nullif(metadata, 'null') as metadata, coalesce(keeps, false) as keeps, keeps_metadata, place
      from json_to_recordset(${inputOf(bindings)}::json) as t(ordinal integer, profile text, alias text, models text[],
        constraints json, metadata jsonb, keeps boolean, keeps_metadata boolean, place double precision)
    ), known as materialized (
      select profile, alias, id, aliases.models, aliases.constraints::text as constraints, aliases.metadata, aliases.place,
        metadata_bytes, names_bytes, input.keeps and aliases.models[1] = input.models[1] as kept
      from aliases join input using (profile, alias) where project_id = ${projectId}
    ), wanted as (
      select ordinal, profile, alias, known.id, input.place,
        case when kept then known.models else input.models end as models,
        case when kept then coalesce(input.constraints, known.constraints) else input.constraints end as constraints,
        case when kept or keeps_metadata then coalesce(input.metadata, known.metadata) else input.metadata end as metadata
      from input left join known using (profile, alias)
    ), changed as materialized (
      select wanted.*, row_number() over (order by ordinal) as rank, wanted.id is null as fresh,
        count(*) filter (where wanted.id is null) over (order by ordinal) as fresh_rank,
        coalesce(metadata_bytes, 0) as known_metadata_bytes, coalesce(names_bytes, 0) as known_names_bytes
      from wanted left join known using (profile, alias)
      where wanted.id is null or wanted.models is distinct from known.models or wanted.constraints is distinct from known.constraints
        or wanted.metadata is distinct from known.metadata or coalesce(wanted.place <> known.place, false)
    )`

type WriteRow = {
  readonly added: string
  readonly changes: string
  readonly entered: string
  readonly last_place: number | null
  readonly bindings: WrittenBinding[] | null
  readonly alias: Record<string, unknown> | null
}

/** Deletes those that are there, with their history. */
async function remove(
  tx: Tx,
  { writer, head, at }: Step,
  keys: readonly Pick<AliasKey, 'profile' | 'alias'>[],
): Promise<Removed> {
  const sent = JSON.stringify(keys.map(({ profile, alias }) => ({ profile, alias })))
  const { namesSearchedMax } = ALIAS_LIMITS
  const named =
    keys.length > namesSearchedMax
      ? sql``
      : sql`and alias = any(${arrayText(keys.map(({ alias }) => alias))}::text::text[])`
  // `coalesce` keeps Postgres from making a join of it: of aliases that it has no statistics of yet it expects one, and
  // would compare each of 5,000 with each, for longer than a statement may take.
  const isSent = sql`project_id = ${writer.projectId} ${named}
    and coalesce((profile, alias) in (select profile, alias from sent), false)`
  const rows = await ormOf(tx).execute(sql`
    with sent as materialized (
      select profile, alias from json_to_recordset(${sent}::json) as t(profile text, alias text)
    ), gone as (
      delete from aliases where ${isSent}
      returning profile, alias, metadata_bytes, names_bytes
    ), history as (
      insert into alias_history (project_id, revision, profile, alias, action, key_id, changed_at)
      select ${writer.projectId}::uuid, ${head.revision + 1}::bigint, profile, alias, 'delete', ${writer.keyId}::uuid, ${at.toISOString()}::timestamptz
      from gone
      returning 1
    )
    select (select count(*) from aliases where ${isSent}) as known, (select count(*) from history) as entered, -coalesce(sum(metadata_bytes), 0) as metadata_bytes, -coalesce(sum(names_bytes), 0) as names_bytes,
      json_agg(json_build_object('profile', profile, 'alias', alias) order by profile, alias) as keys
    from gone`)
  const row = confirmRow(rows) as unknown as Sums & RemoveRow
  const gone = row.keys ?? []
  confirmCompleted({ command: 'DELETE', count: gone.length }, 'DELETE', Number(row.known))
  confirmCompleted({ command: 'INSERT', count: Number(row.entered) }, 'INSERT', gone.length)
  return { head: added(head, row, -gone.length), keys: gone }
}

type RemoveRow = { readonly known: string; readonly entered: string; readonly keys: Removed['keys'] | null }

function added(head: Head, sums: Sums, count: number): Head {
  return {
    ...head,
    lastId: head.lastId + Math.max(count, 0),
    aliasCount: head.aliasCount + count,
    metadataBytes: head.metadataBytes + Number(sums.metadata_bytes),
    namesBytes: head.namesBytes + Number(sums.names_bytes),
  }
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

const isOf = (projectId: ProjectId) => sql`${aliasHeads.projectId} = ${projectId}`
