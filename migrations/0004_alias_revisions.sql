-- Revisions, and what a lockfile holds of them. `constraints` becomes json: a lockfile's digest tells 10 from 10.0, which
-- jsonb does not keep. `place` orders the bindings of a profile as their lockfile does (equal ones by name). The epoch
-- of a head changes when its revisions start anew, by an erasure or a restore.
alter table aliases alter column constraints type json;
alter table alias_history alter column constraints type json;

alter table aliases add column place double precision not null default 0;
alter table alias_history add column place double precision;
update aliases set place = revision;
update alias_history set place = revision where action = 'set';
alter table aliases alter column place drop default;

alter table alias_heads add column epoch uuid;
alter table alias_heads add column last_place double precision not null default 0;
update alias_heads set epoch = gen_random_uuid(), last_place = revision;
alter table alias_heads alter column epoch set not null;

-- What changed after a revision; deletions apart, since their aliases are gone.
create index aliases_by_revision on aliases (project_id, profile, revision);
create index alias_deletions on alias_history (project_id, profile, revision) where action = 'delete';
-- What an alias was before.
create index alias_history_by_alias on alias_history (project_id, profile, alias, revision);

-- One row a revision. `header_revision` says which row of lock_headers was in force; null: none had been written.
create table alias_revisions (
  project_id uuid not null,
  revision bigint not null,
  profiles text[] collate "C" not null,
  kind text not null check (kind in ('write', 'undo', 'promote', 'lockfile')),
  key_id uuid,
  note text,
  changed_at timestamptz not null,
  lock_updated_at text,
  header_revision bigint,
  primary key (project_id, revision)
);
insert into alias_revisions (project_id, revision, profiles, kind, key_id, changed_at)
select project_id, revision, array_agg(distinct profile), 'write', (array_agg(key_id))[1], max(changed_at)
from alias_history group by project_id, revision;

-- What a lockfile holds beside its bindings and `updated_at`: written when it changes.
create table lock_headers (
  project_id uuid not null,
  revision bigint not null,
  header json not null,
  primary key (project_id, revision)
);

-- The digests of every revision's lockfile, one for each rule that was ever in use, so that any of them opens the file.
create table lock_digests (
  project_id uuid not null,
  digest text collate "C" not null,
  revision bigint not null,
  primary key (project_id, digest)
);
create index lock_digests_by_revision on lock_digests (project_id, revision);
