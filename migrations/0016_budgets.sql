-- What a project means to spend in a day, week or month: in all, or with an alias or profile. `edition` counts what was
-- set; `seen` names the sums of usage that were looked at last, so that what did not change is not added up again.
create table budget_heads (
  project_id uuid primary key,
  edition integer not null,
  key_id uuid,
  set_at timestamptz not null,
  checked_at timestamptz,
  seen text
);

create table budgets (
  project_id uuid not null,
  id uuid not null,
  -- In the list as it was set.
  place integer not null,
  alias text,
  profile text,
  -- US dollars.
  amount numeric(30, 12) not null,
  period text not null check (period in ('day', 'week', 'month')),
  zone text not null,
  -- In percent of the amount, ascending.
  thresholds integer[] not null,
  created_at timestamptz not null,
  primary key (project_id, id)
);

-- Written in the transaction that tells the project's webhook: once for each budget, period and threshold.
create table budget_crossings (
  project_id uuid not null,
  budget_id uuid not null,
  period_start timestamptz not null,
  threshold integer not null,
  period_end timestamptz not null,
  crossed_at timestamptz not null,
  spent numeric(40, 12) not null,
  primary key (project_id, budget_id, period_start, threshold)
);
-- For the metrics: of periods that are not over.
create index budget_crossings_open on budget_crossings (period_end);

-- Webhooks tell of more than revisions now: what waits is in the order in which it was added.
alter table webhook_deliveries rename column revision to place;
alter table webhooks add column last_place bigint not null default 0;
update webhooks set last_place = waiting.last_place
from (select project_id, max(place) as last_place from webhook_deliveries group by project_id) as waiting
where waiting.project_id = webhooks.project_id;
