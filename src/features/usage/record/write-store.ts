import { arrayText } from '../../../db/array-text.js'
import type { Sql } from '../../../db/client.js'
import { confirmCompleted, confirmRow } from '../../../db/confirm.js'
import { groupedInput, type InputColumn, tableColumns } from '../../../db/grouped-insert.js'
import { usageLogs } from '../../../db/tables/usage.js'
import { LATER_COLUMNS, USAGE_COLUMNS } from '../columns.js'
import type { UsageRow } from '../event.js'
import { keepLatencies } from '../rollups/latency-store.js'
import { addToRollups, bucketOf, combinationOf, keepCombinations, MEASURES, OF_ROWS } from '../rollups/rolling-store.js'
import type { FoldOf } from './combination-limit.js'
import { type Alike, COMMON_COLUMNS, groupAlike } from './group-alike.js'

/**
 * Writes a group, all of it or nothing, and adds it to the rollups in this shard; answers the places of the rows whose
 * marks were there before.
 */
export type WriteGroup = (rows: readonly UsageRow[], shard: number) => Promise<readonly number[]>

const MARK_COLUMNS: readonly InputColumn<UsageRow>[] = [
  { name: 'mark_key', type: 'text', of: ({ mark }) => mark?.key },
  { name: 'mark_item', type: 'integer', of: ({ mark }) => mark?.item },
  { name: 'mark_sha256', type: 'text', of: ({ mark }) => mark?.sha256 },
  { name: 'mark_answer', type: 'text', of: ({ mark }) => mark?.answer, isSeparated: true },
  { name: 'marked_at', type: 'timestamptz', of: ({ mark }) => mark?.markedAt },
]
const LOG_COLUMNS = tableColumns(usageLogs, USAGE_COLUMNS).filter(({ name }) => !LATER_COLUMNS.includes(name))
const LOG_NAMES = LOG_COLUMNS.map(({ name }) => name).join(', ')
/** What of a row is added up, and how. */
const SUMMED = LOG_COLUMNS.map(({ name }) => name)
  .filter((name) => name.endsWith('_tokens') || name === 'cost')
  .join(', ')
const SUMS = MEASURES.map((name) => `${OF_ROWS[name]} as ${name}`).join(', ')

const isCommon = ({ name }: { readonly name: string }) => COMMON_COLUMNS.includes(name)
const OWN = groupedInput([...LOG_COLUMNS.filter((column) => !isCommon(column)), ...MARK_COLUMNS])
const COMMON = groupedInput<Alike>(
  [
    ...LOG_COLUMNS.filter(isCommon).map(({ name, type, of }) => ({ name, type, of: ({ row }: Alike) => of(row) })),
    { name: 'fold', type: 'integer', of: ({ fold }) => fold },
  ],
  OWN.count + 3,
)
const [PLACES, SHARD] = [`$${OWN.count + 1}::text::integer[]`, `$${OWN.count + 2}::integer`]

/**
 * One statement: a process that is killed in the middle of it leaves no lock behind. Marks are taken in the order of
 * their keys, so that two groups with the same keys wait for each other and never deadlock. A row without a mark, or
 * whose mark is new, is written and added up: whoever sees the row sees it in the sums. To read thirty values of each row was
 * most of what the statement took, so that rows name what they have in common by its place.
 */
const WRITE_GROUP = `
  with input as materialized (
    select * from unnest(${OWN.arrays}, ${PLACES}) with ordinality as input (${OWN.names}, alike, place)
  ), common as materialized (
    select * from unnest(${COMMON.arrays}) with ordinality as common (${COMMON.names}, alike)
  ), marks as (
    insert into usage_marks (project_id, key, item, sha256, answer, log_id, marked_at)
    select project_id, mark_key, mark_item, decode(mark_sha256, 'hex'), mark_answer, id, marked_at
    from input join common using (alike)
    where mark_key is not null order by project_id, mark_key collate "C", mark_item, place
    on conflict (project_id, key, item) do nothing returning log_id
  ), sorted as materialized (
    select *, mark_key is null or id in (select log_id from marks) as is_fresh from input
  ), written as (
    insert into usage_logs (${LOG_NAMES}) select ${LOG_NAMES} from sorted join common using (alike) where is_fresh
    returning 1
  ), fresh as materialized (
    select alike, ${bucketOf('logged_at')} as bucket, cost_status, id, latency_ms, ${SUMMED}
    from sorted join common using (alike) where is_fresh
  ), summed as materialized (
    select alike, bucket, ${SUMS} from fresh group by alike, bucket
  ), named as materialized (
    select alike, project_id, ${combinationOf('common', 'fold > 0', 'fold > 1')} from common
    where alike in (select alike from summed)
  ), ${keepCombinations('named')}, rolled as (${addToRollups(`
    select project_id, 'quarter' as grain, bucket, combo_id, ${SHARD} as shard, ${MEASURES.map((name) => `sum(${name})`).join(', ')}
    from summed join named using (alike) group by project_id, bucket, combo_id`)}
  ), timed as materialized (
    select project_id, model, bucket, id, latency_ms from fresh join named using (alike) where latency_ms is not null
  ), ${keepLatencies('timed')}
  select (select count(*) from written)::integer as written,
    (select coalesce(json_agg(place - 1), '[]') from sorted where not is_fresh) as replayed`

type Written = { readonly written: number; readonly replayed: readonly number[] }

export function createGroupWriter(sql: Sql, foldOf: FoldOf): WriteGroup {
  return async (rows, shard) => {
    const { common, places } = groupAlike(rows, foldOf)
    const parameters = [...OWN.parametersOf(rows), arrayText(places), shard, ...COMMON.parametersOf(common)]
    const answer = await sql.unsafe<Written[]>(WRITE_GROUP, parameters, { prepare: true })
    const { written, replayed } = confirmRow(answer)
    // An answer that accounts for other rows than those that were sent is none.
    confirmCompleted({ command: 'INSERT', count: written + replayed.length }, 'INSERT', rows.length)
    return replayed
  }
}
