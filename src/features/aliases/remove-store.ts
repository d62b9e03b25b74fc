import { sql } from 'drizzle-orm'
import { arrayText } from '../../db/array-text.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { runStatement } from '../../db/run-statement.js'
import type { Tx } from '../../db/transact.js'
import type { AliasKey } from './alias.js'
import { added, type Removed, type Step, type Sums } from './head.js'
import { ALIAS_LIMITS } from './limits.js'

/** Deletes those that are there, with their history. */
export async function remove(
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
  const query = sql`
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
    from gone`
  const rows = await runStatement(tx, query, { prepare: keys.length <= ALIAS_LIMITS.preparedBindingsMax })
  const row = confirmRow(rows) as unknown as Sums & RemoveRow
  const gone = row.keys ?? []
  confirmCompleted({ command: 'DELETE', count: gone.length }, 'DELETE', Number(row.known))
  confirmCompleted({ command: 'INSERT', count: Number(row.entered) }, 'INSERT', gone.length)
  return { head: added(head, row, -gone.length), keys: gone }
}

type RemoveRow = { readonly known: string; readonly entered: string; readonly keys: Removed['keys'] | null }
