import { sql } from 'drizzle-orm'
import type { ProjectId } from '../../access/principal.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { runStatement } from '../../db/run-statement.js'
import type { Tx } from '../../db/transact.js'
import type { Alias, Binding } from './alias.js'
import { added, type Head, type Step, type Sums, type WrittenBinding } from './head.js'
import { ALIAS_LIMITS } from './limits.js'

/** What a write did, and the head as it is afterwards. `alias`: the row, if one binding was sent and it changed. */
type Written = {
  readonly head: Head
  readonly bindings: readonly WrittenBinding[]
  readonly alias: Alias | undefined
}

/**
 * Writes what differs from what is bound, with its history, in one statement, whatever their number: 1,000 bindings
 * take about as long as two single ones. Of several nothing large comes back: metadata may be megabytes. A binding that
 * `keeps` and names the model that is first already stays as it is, but for what it brings itself; one that
 * `keeps_metadata` keeps that alone. Constraints of one that `keeps_spelling` are kept if their numbers are equal: `10`
 * and `10.0` are two to a lockfile's digest, and one to whoever sends JSON.
 */
export async function write(tx: Tx, { writer, head, at }: Step, bindings: readonly Binding[]): Promise<Written> {
  // One of many is planned for its own number each time: a plan that was made for few would compare each with each.
  const options = { prepare: bindings.length <= ALIAS_LIMITS.preparedBindingsMax }
  const query = sql`
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
    select sums.*, to_jsonb(one) as alias from sums left join written as one on ${bindings.length === 1}::boolean`
  const rows = await runStatement(tx, query, options)
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

/** Where PostgreSQL expects a hundred it reads all of the project's aliases to find one. */
const ONLY_ONE = sql`limit 1`

/** `changed`: the bindings that differ from what is bound, each as it shall be, in their order. */
const changesOf = (projectId: ProjectId, bindings: readonly Binding[]) => sql`
    input as materialized (
      select ordinal, profile, alias, models, nullif(constraints::text, 'null') as constraints,
        nullif(metadata, 'null') as metadata, coalesce(keeps, false) as keeps, keeps_metadata, keeps_spelling, place
      from json_to_recordset(${inputOf(bindings)}::json) as t(ordinal integer, profile text, alias text, models text[],
        constraints json, metadata jsonb, keeps boolean, keeps_metadata boolean, keeps_spelling boolean, place double precision) ${bindings.length === 1 ? ONLY_ONE : sql``}
    ), known as materialized (
      select profile, alias, id, aliases.models, aliases.constraints::text as constraints, aliases.metadata, aliases.place,
        metadata_bytes, names_bytes, input.keeps and aliases.models[1] = input.models[1] as kept
      from aliases join input using (profile, alias) where project_id = ${projectId}
    ), wanted as (
      select ordinal, profile, alias, known.id, input.place,
        case when kept then known.models else input.models end as models,
        case when kept and input.constraints is null or keeps_spelling and input.constraints::jsonb = known.constraints::jsonb
          then known.constraints else input.constraints end as constraints,
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
