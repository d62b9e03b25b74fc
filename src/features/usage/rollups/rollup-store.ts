import type { ProjectId } from '../../../access/principal.js'
import { arrayText } from '../../../db/array-text.js'
import type { Sql, Statements } from '../../../db/client.js'
import { eraseRows } from '../../../db/erase-rows.js'
import { compareLatencies, exportLatencies, foldLatencies, repairLatencies } from './latency-store.js'
import { addToRollups, bucketOf, COMBO_NAMES, combinationOf, MEASURES, rollUp } from './rolling-store.js'

export type RollupStore = ReturnType<typeof createRollupStore>
/** A day of a project whose rollups and rows are compared; `day` as `2026-03-15`. */
export type RollupDay = { readonly projectId: string; readonly day: string }
/**
 * Sums of a day that are not those of its rows, sums of hours and days that are not those of their quarters, and counts of
 * latencies that are not those of the rows.
 */
export type Differences = { readonly ofRows: number; readonly ofGrains: number; readonly ofLatencies: number }

const NO_DIFFERENCES: Differences = { ofRows: 0, ofGrains: 0, ofLatencies: 0 }

export function createRollupStore(sql: Sql) {
  return {
    fold: (beforeMs: number, rowsMax: number) => locked(sql, 0, (tx) => fold(tx, beforeMs, rowsMax)),
    foldLatencies: (rowsMax: number) => locked(sql, 0, (tx) => foldLatencies(tx, rowsMax)),
    marksOfPending: (projectIds: readonly ProjectId[]) => marksOfPending(sql, projectIds),
    nextProject: (after: string | null) => nextProject(sql, after),
    listDays: (projectId: string) => listDays(sql, projectId),
    compare: (day: RollupDay) => compare(sql, day),
    repair: (day: RollupDay) => locked(sql, NO_DIFFERENCES, (tx) => repair(tx, day), 'wait'),
    eraseChunk: (projectId: ProjectId, rowsMax: number) => eraseChunk(sql, projectId, rowsMax),
    exportPage: (projectId: ProjectId, after: string | null, rowsMax: number) =>
      exportPage(sql, projectId, after, rowsMax),
    exportNames: (projectId: ProjectId, after: string | null, rowsMax: number) =>
      exportNames(sql, projectId, after, rowsMax),
    exportLatencies: (projectId: ProjectId, after: string | null, rowsMax: number) =>
      exportLatencies(sql, projectId, after, rowsMax),
  }
}

/** One at a time touches shard 0, of all instances: writers never do. */
async function locked<T>(
  sql: Sql,
  otherwise: T,
  work: (tx: Statements) => Promise<T>,
  mode: 'try' | 'wait' = 'try',
): Promise<T> {
  const name = "hashtextextended('llmring-rollups:' || current_schema(), 0)"
  const done = await sql.begin(async (tx) => {
    if (mode === 'wait') await tx.unsafe(`select pg_advisory_xact_lock(${name})`)
    else {
      const [row] = await tx.unsafe<{ taken: boolean }[]>(`select pg_try_advisory_xact_lock(${name}) as taken`)
      if (row?.taken !== true) return otherwise
    }
    return work(tx)
  })
  return done as T
}

const sumOf = (name: string) => `sum(${name}) as ${name}`
const SUMS = MEASURES.map(sumOf).join(', ')
const OWN = MEASURES.join(', ')

/**
 * Rows that a writer is just adding to are passed over, so this waits for none of them. What is taken away is what is
 * added, in one statement: a reader sees the same whole before and behind it.
 */
const FOLD = `
  with due as materialized (
    select project_id, bucket, combo_id, shard from usage_rollups
    where grain = 'quarter' and shard <> 0 and bucket < to_timestamp($1::float8 / 1000)
    order by project_id, bucket, combo_id, shard limit $2 for update skip locked
  ), gone as (
    delete from usage_rollups as one using due
    where one.project_id = due.project_id and one.grain = 'quarter' and one.bucket = due.bucket
      and one.combo_id = due.combo_id and one.shard = due.shard
    returning one.*
  ), added as (${addToRollups(`
    select gone.project_id, wide.grain, wide.bucket, gone.combo_id, 0 as shard, ${SUMS}
    from gone cross join lateral (values ('quarter', gone.bucket), ('hour', date_trunc('hour', gone.bucket, 'UTC')),
      ('day', date_trunc('day', gone.bucket, 'UTC'))) as wide (grain, bucket)
    group by gone.project_id, wide.grain, wide.bucket, gone.combo_id`)}
  )
  select count(*)::integer as folded from gone`

/** Folds the quarters that began before a time; answers how many sums it took away. */
async function fold(tx: Statements, beforeMs: number, rowsMax: number): Promise<number> {
  const [row] = await tx.unsafe<{ folded: number }[]>(FOLD, [beforeMs, rowsMax])
  return row?.folded ?? 0
}

/** For each of these projects with sums that are not folded a text that changes when they do. */
async function marksOfPending(sql: Sql, projectIds: readonly ProjectId[]): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{ id: string; mark: string }[]>`
    select project_id as id, concat_ws('/', count(*), sum(requests), sum(cost), extract(epoch from min(bucket)),
      extract(epoch from max(bucket))) as mark
    from usage_rollups where project_id = any (${arrayText(projectIds)}::text::uuid[]) and shard <> 0 group by project_id`
  return new Map(rows.map(({ id, mark }) => [id, mark]))
}

async function nextProject(sql: Sql, after: string | null): Promise<string | undefined> {
  const least = after ?? '00000000-0000-0000-0000-000000000000'
  const [row] = await sql<{ id: string }[]>`
    select id from (
      (select project_id as id from usage_logs where project_id > ${least} order by 1 limit 1)
      union all (select project_id from usage_rollups where project_id > ${least} order by 1 limit 1)
    ) as next order by id limit 1`
  return row?.id
}

/** The days with rows or sums, but only of months that have a partition: of others the rows were dropped, on purpose. */
async function listDays(sql: Sql, projectId: string): Promise<string[]> {
  const rows = await sql<{ day: string }[]>`
    select distinct to_char(day, 'YYYY-MM-DD') as day from (
      select date_trunc('day', logged_at, 'UTC') at time zone 'UTC' as day from usage_logs where project_id = ${projectId}
      union select date_trunc('day', bucket, 'UTC') at time zone 'UTC' from usage_rollups where project_id = ${projectId}
    ) as days
    where exists (select from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'usage_logs'::regclass and relname = 'usage_logs_' || to_char(day, 'YYYY_MM'))
    order by 1`
  return rows.map(({ day }) => day)
}

const DAY = "($2::text || ' 00:00:00+00')::timestamptz"
const IN_DAY = (time: string) => `${time} >= ${DAY} and ${time} < ${DAY} + interval '1 day'`
/** Of hours with too many combinations it is not known which event was folded: there all are compared as folded. */
const IS_FOLDED = (time: string, condition = 'true') =>
  `exists (select from folded where folded.hour = date_trunc('hour', ${time}, 'UTC') and ${condition})`
const foldedAt = (row: string, time: string) => combinationOf(row, IS_FOLDED(time), IS_FOLDED(time, 'folded.whole'))

/** What the rows of a day have more than its rollups, by combination and quarter, from one snapshot. */
const MISSING = `
  with kept as materialized (
    select one.project_id, one.bucket, ${OWN.replaceAll(/(\w+)/g, 'one.$1')}, ${COMBO_NAMES}
    from usage_rollups as one join usage_combos as combo on combo.project_id = one.project_id and combo.id = one.combo_id
    where one.project_id = $1 and one.grain = 'quarter' and ${IN_DAY('one.bucket')}
  ), folded as materialized (
    select date_trunc('hour', bucket, 'UTC') as hour,
      bool_or(provider = '(other)' and model = '(other)' and profile = '(other)') as whole
    from kept where folded group by 1
  ), both_sides as (
    select log.project_id, ${bucketOf('log.logged_at')} as bucket, ${foldedAt('log', 'log.logged_at')},
      ${MEASURES.map((name) => ofRow(name)).join(', ')}
    from usage_logs as log where log.project_id = $1 and ${IN_DAY('log.logged_at')}
    union all
    select kept.project_id, kept.bucket, ${foldedAt('kept', 'kept.bucket')},
      ${MEASURES.map((name) => `-kept.${name}`).join(', ')} from kept
  ), missing as materialized (
    select project_id, bucket, combo_id, min(provider) as provider, min(model) as model, min(alias) as alias,
      min(profile) as profile, min(origin) as origin, bool_or(folded) as folded, ${SUMS}
    from both_sides group by project_id, bucket, combo_id
    having ${MEASURES.map((name) => `sum(${name}) <> 0`).join(' or ')}
  )`

function ofRow(name: string): string {
  if (name === 'requests') return '1 as requests'
  if (name === 'cost') return 'log.cost as cost'
  return name.endsWith('_tokens')
    ? `coalesce(log.${name}, 0) as ${name}`
    : `(log.cost_status = '${name}')::integer as ${name}`
}

/** What the quarters in shard 0 have more than the hours and days that were made of them. */
const UNEVEN = `
  with both_sides as (
    select one.project_id, wide.grain, wide.bucket, one.combo_id, ${MEASURES.map((name) => `one.${name} as ${name}`).join(', ')}
    from usage_rollups as one cross join lateral (values ('hour', date_trunc('hour', one.bucket, 'UTC')),
      ('day', date_trunc('day', one.bucket, 'UTC'))) as wide (grain, bucket)
    where one.project_id = $1 and one.grain = 'quarter' and one.shard = 0 and ${IN_DAY('one.bucket')}
    union all
    select project_id, grain, bucket, combo_id, ${MEASURES.map((name) => `-${name}`).join(', ')} from usage_rollups
    where project_id = $1 and grain in ('hour', 'day') and ${IN_DAY('bucket')}
  ), uneven as materialized (
    select project_id, grain, bucket, combo_id, ${SUMS} from both_sides group by project_id, grain, bucket, combo_id
    having ${MEASURES.map((name) => `sum(${name}) <> 0`).join(' or ')}
  )`

async function compare(sql: Statements, { projectId, day }: RollupDay): Promise<Differences> {
  const count = async (text: string) => {
    const [row] = await sql.unsafe<{ n: number }[]>(text, [projectId, day])
    return row?.n ?? 0
  }
  return {
    ofRows: await count(`${MISSING} select count(*)::integer as n from missing`),
    ofGrains: await count(`${UNEVEN} select count(*)::integer as n from uneven`),
    ofLatencies: await compareLatencies(sql, { projectId, day }),
  }
}

/** A shard that no writer has. */
const REPAIR_SHARD = 1

/**
 * Adds what is missing, negative or not; nothing is replaced, so writers and readers go on. Answers how many sums it
 * moved.
 */
async function repair(tx: Statements, { projectId, day }: RollupDay): Promise<Differences> {
  const measures = Object.fromEntries(MEASURES.map((name) => [name, `sum(${name})`]))
  const rows = await tx.unsafe<{ n: number }[]>(
    `${MISSING}, ${rollUp('missing', String(REPAIR_SHARD), measures)} select count(*)::integer as n from missing`,
    [projectId, day],
  )
  const grains = await tx.unsafe<{ n: number }[]>(
    `${UNEVEN}, added as (${addToRollups(`
      select project_id, grain, bucket, combo_id, 0 as shard, ${OWN} from uneven`)}
    ) select count(*)::integer as n from uneven`,
    [projectId, day],
  )
  const ofLatencies = await repairLatencies(tx, { projectId, day })
  return { ofRows: rows[0]?.n ?? 0, ofGrains: grains[0]?.n ?? 0, ofLatencies }
}

async function eraseChunk(sql: Sql, projectId: ProjectId, rowsMax: number): Promise<number> {
  const sums = { table: 'usage_rollups', key: ['grain', 'bucket', 'combo_id', 'shard'] } as const
  return (
    (await eraseRows(sql, { ...sums, projectId, rowsMax })) ||
    (await eraseRows(sql, { table: 'usage_combos', key: ['id'], projectId, rowsMax })) ||
    eraseRows(sql, { table: 'usage_latencies', key: ['hour', 'model', 'id'], projectId, rowsMax })
  )
}

/** A row as the JSON text of an object, and where it stands. */
export type PlacedText = { readonly text: string; readonly place: string }

async function exportPage(sql: Sql, projectId: ProjectId, after: string | null, rowsMax: number) {
  return sql<PlacedText[]>`
    select row_to_json(one)::text as text,
      concat_ws('/', grain, extract(epoch from bucket)::text, combo_id::text, shard::text) as place
    from usage_rollups as one where project_id = ${projectId} ${after === null ? sql`` : positionBehind(sql, after)}
    order by grain, bucket, combo_id, shard limit ${rowsMax}`
}

async function exportNames(sql: Sql, projectId: ProjectId, after: string | null, rowsMax: number) {
  return sql<PlacedText[]>`
    select row_to_json(one)::text as text, id::text as place from usage_combos as one
    where project_id = ${projectId} ${after === null ? sql`` : sql`and id > ${after}::uuid`} order by id limit ${rowsMax}`
}

function positionBehind(sql: Sql, cursor: string) {
  const [grain = '', seconds = '0', combo = '', shard = '0'] = cursor.split('/')
  return sql`and (grain, bucket, combo_id, shard) >
    (${grain}::text collate "C", to_timestamp(${seconds}::float8), ${combo}::uuid, ${shard}::integer)`
}
