-- Every project-scoped table leads its keys with project_id and refers to no other project's rows. Text that is compared
-- or ordered is COLLATE "C", so that an external database with another locale gives the same order.

create table projects (
  id uuid primary key,
  name text,
  origin text not null check (origin in ('open', 'made')),
  created_at timestamptz not null default now(),
  -- Set by an erasure; the row stays as a tombstone until nothing can be written to the project any more.
  erased_at timestamptz,
  -- When the last sweep found nothing of it any more.
  swept_at timestamptz
);
create index projects_unswept on projects (erased_at) where erased_at is not null and swept_at is null;

-- The key itself is never stored. Revoked keys stay, so that they answer 401 and never become a new project.
create table project_keys (
  id uuid primary key,
  project_id uuid not null,
  key_hash bytea not null unique,
  pepper_id text not null,
  prefix text not null,
  name text,
  role text not null check (role in ('write', 'log', 'read', 'audit', 'admin')),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index project_keys_project on project_keys (project_id, id);

-- One row a project: the lock that orders its alias writes, and the counters that only its tenant sees.
create table alias_heads (
  project_id uuid primary key,
  revision bigint not null,
  last_id integer not null,
  alias_count integer not null
);

create table aliases (
  project_id uuid not null,
  profile text collate "C" not null,
  alias text collate "C" not null,
  id integer not null,
  models text[] not null check (cardinality(models) > 0),
  constraints jsonb,
  metadata jsonb,
  revision bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (project_id, profile, alias),
  unique (project_id, id)
);

create table alias_history (
  project_id uuid not null,
  revision bigint not null,
  profile text collate "C" not null,
  alias text collate "C" not null,
  action text not null check (action in ('set', 'delete')),
  models text[],
  constraints jsonb,
  metadata jsonb,
  key_id uuid,
  changed_at timestamptz not null,
  primary key (project_id, revision, profile, alias)
);

-- Partitioned by month from the start; there is no default partition, so a time without one is refused, not misplaced.
create table usage_logs (
  project_id uuid not null,
  logged_at timestamptz not null,
  id uuid not null,
  key_id uuid,
  provider text not null,
  model text collate "C" not null,
  alias text collate "C",
  profile text collate "C",
  origin text collate "C",
  id_at_origin text,
  conversation_id text,
  input_tokens bigint,
  output_tokens bigint,
  cached_input_tokens bigint,
  cache_read_input_tokens bigint,
  cache_write_5m_input_tokens bigint,
  cache_write_1h_input_tokens bigint,
  reasoning_tokens bigint,
  input_tokens_include_cache boolean not null default true,
  latency_ms double precision,
  cost numeric(30, 12) not null,
  reported_cost numeric(30, 12),
  computed_cost numeric(30, 12),
  cost_status text not null check (cost_status in ('reported', 'priced', 'free', 'unknown_model', 'no_price', 'no_registry')),
  registry_provider_version text,
  unit_prices jsonb,
  metadata jsonb,
  primary key (project_id, logged_at, id)
) partition by range (logged_at);
create index usage_logs_unpriced on usage_logs (logged_at, id) where cost_status = 'no_registry';

-- The canonical bytes as they were signed: never jsonb, which reorders members and re-renders numbers.
create table receipts (
  project_id uuid not null,
  id text collate "C" not null,
  kind text not null check (kind in ('issued', 'stored')),
  key_id text not null,
  -- SHA-256 of the canonical request that an issued receipt answered: the same request again gets the same receipt.
  request_sha256 bytea,
  canonical bytea not null,
  stored_at timestamptz not null,
  primary key (project_id, id)
);
create index receipts_newest on receipts (project_id, stored_at desc, id desc);

-- Every key that ever signed stays listed.
create table receipt_keys (
  key_id text primary key,
  public_key bytea not null check (octet_length(public_key) = 32),
  not_before timestamptz not null,
  not_after timestamptz
);

-- Every fetched content of a provider's file: the price history, and the last good copy.
create table registry_files (
  path text collate "C" not null,
  sha256 text not null,
  provider text,
  provider_version integer,
  body bytea not null,
  first_fetched_at timestamptz not null,
  last_fetched_at timestamptz not null,
  primary key (path, sha256)
);
create index registry_files_newest on registry_files (path, last_fetched_at desc);
