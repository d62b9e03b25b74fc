-- What an event was priced with before, oldest first, and what one would cost whose cost a receipt certifies.
alter table usage_logs add column earlier_prices jsonb, add column repriced jsonb;

-- Repricing of a period, in chunks: each moves events, their sums and `reached` in one transaction. `due_at` says when an
-- instance may take the job up: null once it is over; while one works on it (`lease`) it is when another may take over.
create table reprice_jobs (
  project_id uuid not null,
  id uuid not null,
  key_id uuid,
  created_at timestamptz not null,
  -- Events with a time from the one on and before the other.
  from_at timestamptz not null,
  until_at timestamptz not null,
  -- `openai@7`; null: the prices in force at the time of each event.
  registry_version text,
  dry_run boolean not null,
  status text not null check (status in ('waiting', 'running', 'done', 'cancelled', 'failed')),
  -- The event that was looked at last.
  reached_at timestamptz,
  reached_id uuid,
  -- Counts and sums of what was looked at.
  found jsonb not null,
  due_at timestamptz,
  lease uuid,
  failures integer not null,
  last_failure text,
  finished_at timestamptz,
  primary key (project_id, id)
);
-- One at a time in a project.
create unique index reprice_jobs_open on reprice_jobs (project_id) where finished_at is null;
-- For the instances: what is due in any project.
create index reprice_jobs_due on reprice_jobs (due_at) where due_at is not null;
