import { randomUUID } from 'node:crypto'
import type { ProjectId } from '../../../access/principal.js'
import type { Sql, Statements } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'
import { LATENCY_BASE, ZERO_BUCKET } from './latency-scale.js'

/** The bucket of a latency in milliseconds: see `latency-scale.ts`. */
const bucketOfLatency = (ms: string): string =>
  `case when ${ms} < 0.001 then ${ZERO_BUCKET} else ceil(ln(${ms}) / ln(${LATENCY_BASE}::float8)) end::smallint`

const FOLDED_ID = `'00000000-0000-0000-0000-000000000000'::uuid`
const hourOf = (time: string): string => `date_trunc('hour', ${time}, 'UTC')`

/**
 * A part of a WITH that keeps the latencies of rows: a line for each hour and model, whatever the number of buckets, and
 * with an id of its own, so that no two writers touch the same one. `from` has an id, a bucket of time and a model.
 */
export const keepLatencies = (from: string): string => `measured as (
    insert into usage_latencies (project_id, hour, model, id, buckets)
    select project_id, ${hourOf('bucket')}, model, (array_agg(id))[1], array_agg(${bucketOfLatency('latency_ms')})
    from ${from} where latency_ms is not null group by 1, 2, 3
  )`

/**
 * Adds lines to the one that stands for their hour and model. Whoever runs it holds the lock of the rollups, so no other
 * one reads that line meanwhile to write it.
 */
const FOLD_LATENCIES = `
  with due as materialized (
    select project_id, hour, model, id from usage_latencies where id <> ${FOLDED_ID}
    order by project_id, hour, model, id limit $1 for update skip locked
  ), gone as (
    delete from usage_latencies as one using due
    where one.project_id = due.project_id and one.hour = due.hour and one.model = due.model and one.id = due.id
    returning one.*
  ), keys as (
    select distinct project_id, hour, model from due
  ), merged as (
    select project_id, hour, model, line.bucket, sum(coalesce(line.requests, 1)) as requests from (
      select * from gone
      union all select one.* from usage_latencies as one join keys using (project_id, hour, model) where one.id = ${FOLDED_ID}
    ) as one cross join lateral unnest(one.buckets, one.counts) as line (bucket, requests)
    group by project_id, hour, model, line.bucket having sum(coalesce(line.requests, 1)) <> 0
  ), written as (
    insert into usage_latencies (project_id, hour, model, id, buckets, counts)
    select project_id, hour, model, ${FOLDED_ID}, coalesce(array_agg(bucket order by bucket) filter (where bucket is not null), '{}'),
      coalesce(array_agg(requests::bigint order by bucket) filter (where bucket is not null), '{}')
    from keys left join merged using (project_id, hour, model) group by project_id, hour, model order by 1, 2, 3
    on conflict (project_id, hour, model, id) do update set buckets = excluded.buckets, counts = excluded.counts
  )
  select count(*)::integer as folded from gone`

export async function foldLatencies(tx: Statements, rowsMax: number): Promise<number> {
  const [row] = await tx.unsafe<{ folded: number }[]>(FOLD_LATENCIES, [rowsMax])
  return row?.folded ?? 0
}

const DAY = "($2::text || ' 00:00:00+00')::timestamptz"
const IN_DAY = (time: string) => `${time} >= ${DAY} and ${time} < ${DAY} + interval '1 day'`
/** In an hour in which a model was one too many it is not known which: there all are compared as one. */
const MODEL = (hour: string) =>
  `case when exists (select from crowded where crowded.hour = ${hour}) then '(other)' else model end`

/** What the rows of a day have more than what is kept of them, by hour, model and bucket. */
const LACKING = `
  with kept as materialized (
    select hour, model, line.bucket, coalesce(line.requests, 1) as requests
    from usage_latencies cross join lateral unnest(buckets, counts) as line (bucket, requests)
    where project_id = $1 and ${IN_DAY('hour')}
  ), crowded as materialized (
    select distinct hour from kept where model = '(other)'
  ), both_sides as (
    select ${hourOf('logged_at')} as hour, ${MODEL(hourOf('logged_at'))} as model,
      ${bucketOfLatency('latency_ms')} as bucket, 1::bigint as requests
    from usage_logs where project_id = $1 and ${IN_DAY('logged_at')} and latency_ms is not null
    union all select hour, ${MODEL('hour')}, bucket, -requests from kept
  ), lacking as materialized (
    select hour, model, bucket, sum(requests)::bigint as requests from both_sides
    group by hour, model, bucket having sum(requests) <> 0
  )`

type Day = { readonly projectId: string; readonly day: string }

/** How many buckets of a day differ from its rows. */
export async function compareLatencies(sql: Statements, { projectId, day }: Day): Promise<number> {
  const text = `${LACKING} select count(*)::integer as n from lacking`
  const [row] = await sql.unsafe<{ n: number }[]>(text, [projectId, day])
  return row?.n ?? 0
}

/** Adds what is lacking, negative or not; answers how many buckets. */
export async function repairLatencies(sql: Statements, { projectId, day }: Day): Promise<number> {
  const text = `${LACKING}, written as (
      insert into usage_latencies (project_id, hour, model, id, buckets, counts)
      select $1, hour, model, $3::text::uuid, array_agg(bucket), array_agg(requests) from lacking group by hour, model
    ) select count(*)::integer as n from lacking`
  const [row] = await sql.unsafe<{ n: number }[]>(text, [projectId, day, randomUUID()])
  return row?.n ?? 0
}

/** Lines as the JSON texts of objects, and where each stands. */
export function exportLatencies(sql: Sql, projectId: ProjectId, after: string | null, rowsMax: number) {
  const [seconds = '0', id = '', ...model] = (after ?? '').split('/')
  const behind = sql`and (hour, model, id) > (to_timestamp(${seconds}::float8), ${model.join('/')}::text collate "C", ${id}::uuid)`
  return sql<{ text: string; place: string }[]>`
    select row_to_json(one)::text as text, concat_ws('/', extract(epoch from hour)::text, id::text, model) as place
    from usage_latencies as one where project_id = ${projectId} ${after === null ? sql`` : behind}
    order by hour, model, id limit ${rowsMax}`
}

/** The buckets in which the quantiles of a kind of sums lie; `name` is the number of a part, or a model. */
export type LatencyRow = {
  readonly kind: 'summary' | 'period' | 'model'
  readonly name: string | null
  readonly requests: string
  readonly buckets: readonly (number | null)[]
}

/** By nearest rank: the bucket of the first latency that is not before this share of all. */
const quantile = (share: number) => `min(bucket) filter (where upto >= ${share} * total)`

/** An hour belongs to the part in which it begins. */
const LATENCIES = `
  with found as (
    select width_bucket(extract(epoch from hour)::float8 * 1000, $2::text::float8[]) - 1 as part, model, line.bucket,
      sum(coalesce(line.requests, 1)) as requests
    from usage_latencies cross join lateral unnest(buckets, counts) as line (bucket, requests)
    where project_id = $1 and hour >= to_timestamp($3::float8 / 1000) and hour < to_timestamp($4::float8 / 1000)
    group by 1, 2, 3
  ), kinds as (
    select case grouping(part, model) when 3 then 'summary' when 1 then 'period' else 'model' end as kind, part, model,
      bucket, sum(requests) as requests
    from found group by grouping sets ((bucket), (part, bucket), (model, bucket))
  ), ordered as (
    select *, sum(requests) over (partition by kind, part, model order by bucket) as upto,
      sum(requests) over (partition by kind, part, model) as total
    from kinds
  )
  select kind, coalesce(part::text, model) as name, max(total)::text as requests,
    json_build_array(${[0.5, 0.9, 0.95, 0.99].map(quantile).join(', ')}) as buckets
  from ordered group by kind, part, model order by kind desc, max(total) desc, 2 limit ${2 * USAGE_LIMITS.statsNamesMax}`

export function readLatencies(
  sql: Statements,
  projectId: ProjectId,
  boundsMs: readonly number[],
): Promise<LatencyRow[]> {
  const parameters = [projectId, `{${boundsMs.join(',')}}`, boundsMs[0] ?? 0, boundsMs.at(-1) ?? 0]
  return sql.unsafe<LatencyRow[]>(LATENCIES, parameters, { prepare: true })
}
