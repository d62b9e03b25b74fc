-- What a project's feedback taught of which requests are hard, 0 to 1; null: nothing yet.
alter table projects add column learned_threshold double precision;
