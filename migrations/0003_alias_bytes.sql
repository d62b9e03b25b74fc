-- What a project's aliases occupy, so that it has a limit: metadata (with constraints) as JSON text, and names (profiles,
-- aliases, models). Each row has its own part, so that a change or a deletion subtracts exactly what was added.
alter table aliases add column metadata_bytes integer not null default 0;
alter table aliases add column names_bytes integer not null default 0;
alter table alias_heads add column metadata_bytes bigint not null default 0;
alter table alias_heads add column names_bytes bigint not null default 0;

update aliases set
  metadata_bytes = coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(constraints::text), 0),
  names_bytes = octet_length(profile) + octet_length(alias) + octet_length(array_to_string(models, ''));

update alias_heads set metadata_bytes = held.metadata_bytes, names_bytes = held.names_bytes
from (
  select project_id, sum(metadata_bytes) as metadata_bytes, sum(names_bytes) as names_bytes
  from aliases group by project_id
) as held
where held.project_id = alias_heads.project_id;

-- All aliases of a project are listed by name, in pages.
create index aliases_by_name on aliases (project_id, alias, profile);
