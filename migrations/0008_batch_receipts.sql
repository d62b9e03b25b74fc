-- Batch receipts: which logged calls each of them certifies.

create table receipt_batches (
  project_id uuid not null,
  receipt_id text collate "C" not null,
  begun_at timestamptz not null,
  -- When its receipt was signed. Null while its members are being written: it certifies nothing yet.
  sealed_at timestamptz,
  member_count integer not null check (member_count >= 0),
  primary key (project_id, receipt_id)
);

create table receipt_members (
  project_id uuid not null,
  receipt_id text collate "C" not null,
  position integer not null check (position >= 0),
  log_id uuid not null,
  logged_at timestamptz not null,
  primary key (project_id, receipt_id, position)
);
-- Whether a logged call is certified, and where it stands in a receipt.
create index receipt_members_by_log on receipt_members (project_id, log_id, receipt_id);

-- The tree over a batch's members in tiles of up to 256 hashes: it outlives the rows that the hashes are of.
create table receipt_member_tiles (
  project_id uuid not null,
  receipt_id text collate "C" not null,
  level integer not null check (level >= 0),
  index integer not null check (index >= 0),
  hashes bytea not null,
  primary key (project_id, receipt_id, level, index)
);
-- Hashes do not compress.
alter table receipt_member_tiles alter column hashes set storage external;

create table receipt_coverage (
  project_id uuid primary key,
  -- Goes up with every batch that is sealed, under the lock of the project's chain.
  generation bigint not null check (generation >= 0),
  -- What was logged before is certified. Null before the first batch.
  settled_until timestamptz
);

-- Keys that a project registered: receipts that others signed with them may be stored and verified by that project.
create table receipt_client_keys (
  project_id uuid not null,
  key_id text collate "C" not null,
  public_key bytea not null,
  label text,
  not_before timestamptz,
  not_after timestamptz,
  created_at timestamptz not null,
  primary key (project_id, key_id)
);
