-- The webhook of a project, and how sending to it goes. `due_at` says when there is something to do: null means that
-- nothing waits; while an instance sends (`lease` names the attempt) it is when another one may take over. `edition`
-- counts what was set, so that what an old receiver answers does not change a new one.
create table webhooks (
  project_id uuid primary key,
  url text not null,
  -- Encrypted with a key that is derived from a secret of the service, which `secret_key_id` names.
  secret bytea not null,
  secret_key_id text not null,
  edition integer not null,
  created_at timestamptz not null,
  key_id uuid,
  disabled_at timestamptz,
  due_at timestamptz,
  lease uuid,
  failures integer not null,
  slow boolean not null,
  last_failure text
);
-- For the instances that send: what is due in any project.
create index webhooks_due on webhooks (slow, due_at) where due_at is not null;

-- What waits to be sent, in the order of the revisions. A row goes with its delivery.
create table webhook_deliveries (
  project_id uuid not null,
  revision bigint not null,
  id text not null,
  body text not null,
  attempts integer not null,
  created_at timestamptz not null,
  primary key (project_id, revision)
);
