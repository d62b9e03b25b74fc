-- Whether each of a project's calls through the gateway gets a receipt, unasked.
alter table projects add column certifies_calls boolean not null default false;
