-- The transparency log: an append-only Merkle tree (RFC 6962) of what was signed here, and each project's chain of receipts.

-- The chain of a project's issued receipts. The row's lock orders them, so `last_seq` counts without gaps.
create table receipt_chains (
  project_id uuid primary key,
  last_seq bigint not null check (last_seq >= 0),
  -- SHA-256 of the last receipt's canonical bytes: the next one's `prev`. Null before the first.
  last_entry bytea,
  last_issued_at timestamptz
);

alter table receipts
  -- Its place in the chain; null for a stored one, which was signed elsewhere.
  add column seq bigint,
  -- SHA-256 of `canonical`: what the log holds of it.
  add column entry bytea;

update receipts set entry = sha256(canonical);
update receipts set seq = numbered.seq
  from (
    select project_id, id, row_number() over (partition by project_id order by stored_at, id) as seq
    from receipts where kind = 'issued'
  ) as numbered
  where receipts.project_id = numbered.project_id and receipts.id = numbered.id;
alter table receipts alter column entry set not null;
create index receipts_chain on receipts (project_id, seq) where seq is not null;

insert into receipt_chains (project_id, last_seq, last_entry, last_issued_at)
  select distinct on (project_id) project_id, seq, entry, stored_at
  from receipts where seq is not null order by project_id, seq desc;

-- Entries that are committed and have no index yet. The id is taken after the lock of the project's chain, so what can
-- be seen of a project is a prefix of its chain.
create table log_pending (
  id bigint generated always as identity primary key,
  entry bytea not null check (octet_length(entry) = 32),
  pending_since timestamptz not null
);
insert into log_pending (entry, pending_since) select entry, now() from receipts order by stored_at, project_id, id;

-- One row: how large the tree is, and its root hash.
create table log_head (
  only_row boolean primary key default true check (only_row),
  origin text not null,
  size bigint not null check (size >= 0),
  root bytea not null check (octet_length(root) = 32)
);

create table log_entries (
  index bigint primary key check (index >= 0),
  entry bytea not null
);
-- The same entry may stand in the log twice, if two projects store one receipt; the first proves it.
create index log_entries_by_entry on log_entries (entry, index);

-- One row a tile; the rightmost of each level grows until it holds 256 hashes.
create table log_tiles (
  level smallint not null check (level >= 0),
  index bigint not null check (index >= 0),
  hashes bytea not null,
  primary key (level, index)
);
-- Hashes do not compress.
alter table log_tiles alter column hashes set storage external;

-- Heads that were signed: the body is what the note's signatures cover.
create table log_checkpoints (
  size bigint primary key,
  root bytea not null check (octet_length(root) = 32),
  note text collate "C" not null,
  signed_at timestamptz not null,
  witnesses integer not null default 0
);

-- Statements of the log's own keepers: a new signing key, a head that was accepted by hand. Each is an entry.
create table log_statements (
  entry bytea primary key check (octet_length(entry) = 32),
  kind text not null,
  canonical bytea not null,
  stated_at timestamptz not null
);
