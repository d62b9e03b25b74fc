import type { Sql } from '../../db/client.js'
import { confirmCompleted, confirmRow } from '../../db/confirm.js'
import { groupedInput, type InputColumn, tableColumns } from '../../db/grouped-insert.js'
import { usageLogs } from '../../db/tables/usage.js'
import { LATER_COLUMNS, USAGE_COLUMNS } from './columns.js'
import type { FoldOf } from './combination-limit.js'
import type { UsageRow } from './event.js'
import { keepLatencies } from './latency-store.js'
import { bucketOf, combinationOf, OF_ROWS, rollUp } from './rolling-store.js'

/**
 * Writes a group, all of it or nothing, and adds it to the rollups in this shard; answers the places of the rows whose
 * marks were there before.
 */
export type WriteGroup = (rows: readonly UsageRow[], shard: number) => Promise<readonly number[]>

const MARK_COLUMNS: readonly InputColumn<UsageRow>[] = [
  { name: 'mark_key', type: 'text', of: ({ mark }) => mark?.key },
  { name: 'mark_item', type: 'integer', of: ({ mark }) => mark?.item },
  { name: 'mark_sha256', type: 'text', of: ({ mark }) => mark?.sha256 },
  { name: 'mark_answer', type: 'text', of: ({ mark }) => mark?.answer },
  { name: 'marked_at', type: 'timestamptz', of: ({ mark }) => mark?.markedAt },
]
const LOG_COLUMNS = tableColumns(usageLogs, USAGE_COLUMNS).filter(({ name }) => !LATER_COLUMNS.includes(name))
const LOG_NAMES = LOG_COLUMNS.map(({ name }) => name).join(', ')

/**
 * One statement: a process that is killed in the middle of it leaves no lock behind. Marks are taken in the order of
 * their keys, so that two groups with the same keys wait for each other and never deadlock. A row without a mark, or
 * whose mark is new, is written and added up: whoever sees the row sees it in the sums.
 */
const writeGroup = (arrays: string, names: string, shard: string) => `
  with input as materialized (
    select * from unnest(${arrays}) with ordinality as input (${names}, place)
  ), marks as (
    insert into usage_marks (project_id, key, item, sha256, answer, log_id, marked_at)
    select project_id, mark_key, mark_item, decode(mark_sha256, 'hex'), mark_answer, id, marked_at
    from input where mark_key is not null order by project_id, mark_key collate "C", mark_item, place
    on conflict (project_id, key, item) do nothing returning log_id
  ), sorted as materialized (
    select *, mark_key is null or id in (select log_id from marks) as is_fresh from input
  ), written as (
    insert into usage_logs (${LOG_NAMES}) select ${LOG_NAMES} from sorted where is_fresh returning 1
  ), fresh as materialized (
    select project_id, ${bucketOf('logged_at')} as bucket, ${combinationOf('sorted', 'sorted.fold > 0', 'sorted.fold > 1')},
      id, latency_ms, ${SUMMED}
    from sorted where is_fresh
  ), ${rollUp('fresh', shard, OF_ROWS)}, ${keepLatencies('fresh')}
  select (select count(*) from written)::integer as written,
    (select coalesce(json_agg(place - 1), '[]') from sorted where not is_fresh) as replayed`

/** What of a row is added up. */
const SUMMED = LOG_COLUMNS.map(({ name }) => name)
  .filter((name) => name.endsWith('_tokens') || name === 'cost' || name === 'cost_status')
  .join(', ')

type Written = { readonly written: number; readonly replayed: readonly number[] }

export function createGroupWriter(sql: Sql, foldOf: FoldOf): WriteGroup {
  const columns = [...LOG_COLUMNS, ...MARK_COLUMNS, { name: 'fold', type: 'integer', of: foldOf }]
  const { arrays, names, parametersOf } = groupedInput(columns)
  const text = writeGroup(arrays, names, `$${columns.length + 1}::integer`)
  return async (rows, shard) => {
    const answer = await sql.unsafe<Written[]>(text, [...parametersOf(rows), shard], { prepare: true })
    const { written, replayed } = confirmRow(answer)
    // An answer that accounts for other rows than those that were sent is none.
    confirmCompleted({ command: 'INSERT', count: written + replayed.length }, 'INSERT', rows.length)
    return replayed
  }
}
