-- How long requests took, by hour and model, as counts of buckets of a logarithmic scale. The statement that writes rows
-- adds a line with an id of its own; lines are folded into the one whose id is 0.
create table usage_latencies (
  project_id uuid not null,
  -- Its beginning, UTC.
  hour timestamptz not null,
  model text collate "C" not null,
  id uuid not null,
  -- -32768: under a microsecond. Others: the logarithm of milliseconds to the base 1.04, rounded up.
  buckets smallint[] not null,
  -- Of each bucket; null: each is 1.
  counts bigint[],
  primary key (project_id, hour, model, id)
);
create index usage_latencies_pending on usage_latencies (project_id, hour)
  where id <> '00000000-0000-0000-0000-000000000000';

-- What was recorded before.
insert into usage_latencies
  select project_id, hour, model, '00000000-0000-0000-0000-000000000000', array_agg(bucket order by bucket), array_agg(n order by bucket)
  from (
    select project_id, date_trunc('hour', logged_at, 'UTC') as hour, model, count(*) as n,
      case when latency_ms < 0.001 then -32768 else ceil(ln(latency_ms) / ln(1.04::float8)) end::smallint as bucket
    from usage_logs where latency_ms is not null group by project_id, 2, model, 5
  ) as measured
  group by project_id, hour, model;
