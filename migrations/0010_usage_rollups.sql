-- Sums of usage that stats read. Writers add to the quarter of an hour in which an event happened, each in a shard of
-- its own, in the statement that writes the event's row. Closed quarters are folded into shard 0 and added to hours and
-- days, so the whole is always: what is in shard 0 of any grain, and the other shards.

-- Which provider, model, alias, profile and origin occur together; the id is a hash of them. Absent ones are ''.
create table usage_combos (
  project_id uuid not null,
  id uuid not null,
  provider text not null,
  model text collate "C" not null,
  alias text collate "C" not null,
  profile text collate "C" not null,
  origin text collate "C" not null,
  -- Alias and origin stand for others, since there were too many in one hour.
  folded boolean not null,
  primary key (project_id, id)
);

create table usage_rollups (
  project_id uuid not null,
  grain text collate "C" not null check (grain in ('quarter', 'hour', 'day')),
  -- The beginning of the quarter, hour or day, UTC.
  bucket timestamptz not null,
  combo_id uuid not null,
  shard integer not null,
  requests bigint not null,
  cost numeric(40, 12) not null,
  input_tokens numeric(30, 0) not null,
  output_tokens numeric(30, 0) not null,
  cached_input_tokens numeric(30, 0) not null,
  cache_read_input_tokens numeric(30, 0) not null,
  cache_write_5m_input_tokens numeric(30, 0) not null,
  cache_write_1h_input_tokens numeric(30, 0) not null,
  reasoning_tokens numeric(30, 0) not null,
  reported bigint not null,
  priced bigint not null,
  free bigint not null,
  unknown_model bigint not null,
  no_price bigint not null,
  no_registry bigint not null,
  primary key (project_id, grain, bucket, combo_id, shard)
) with (fillfactor = 70);
-- What was not folded yet.
create index usage_rollups_pending on usage_rollups (project_id, bucket) where shard <> 0;

-- What was recorded before.
with rolled as materialized (
  select project_id, date_bin('15 minutes', logged_at, '1970-01-01 00:00:00+00') as bucket,
    substr(encode(sha256(convert_to(json_build_array(provider, model, coalesce(alias, ''), coalesce(profile, ''),
      coalesce(origin, ''), false)::text, 'UTF8')), 'hex'), 1, 32)::uuid as combo_id,
    min(provider) as provider, min(model) as model, coalesce(min(alias), '') as alias, coalesce(min(profile), '') as profile,
    coalesce(min(origin), '') as origin, count(*) as requests, sum(cost) as cost,
    coalesce(sum(input_tokens), 0) as input_tokens, coalesce(sum(output_tokens), 0) as output_tokens,
    coalesce(sum(cached_input_tokens), 0) as cached_input_tokens,
    coalesce(sum(cache_read_input_tokens), 0) as cache_read_input_tokens,
    coalesce(sum(cache_write_5m_input_tokens), 0) as cache_write_5m_input_tokens,
    coalesce(sum(cache_write_1h_input_tokens), 0) as cache_write_1h_input_tokens,
    coalesce(sum(reasoning_tokens), 0) as reasoning_tokens,
    count(*) filter (where cost_status = 'reported') as reported, count(*) filter (where cost_status = 'priced') as priced,
    count(*) filter (where cost_status = 'free') as free,
    count(*) filter (where cost_status = 'unknown_model') as unknown_model,
    count(*) filter (where cost_status = 'no_price') as no_price,
    count(*) filter (where cost_status = 'no_registry') as no_registry
  from usage_logs group by 1, 2, 3
), combos as (
  insert into usage_combos
  select distinct project_id, combo_id, provider, model, alias, profile, origin, false from rolled
)
insert into usage_rollups
  select project_id, 'quarter', bucket, combo_id, 1, requests, cost, input_tokens, output_tokens, cached_input_tokens,
    cache_read_input_tokens, cache_write_5m_input_tokens, cache_write_1h_input_tokens, reasoning_tokens, reported, priced,
    free, unknown_model, no_price, no_registry
  from rolled;
