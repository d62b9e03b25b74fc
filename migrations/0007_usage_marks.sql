-- Idempotency keys of usage: what was answered, kept for some weeks. A plain table, as a unique key of usage_logs would
-- have to contain its partition column.
create table usage_marks (
  project_id uuid not null,
  key text collate "C" not null,
  -- An event of a batch by its place, from 1; 0 is what has the key itself, an event or a whole batch.
  item integer not null,
  -- Of what was sent: the same key with another body is refused.
  sha256 bytea not null,
  -- The answer as JSON text, and the event's row; null for a whole batch.
  answer text,
  log_id uuid,
  marked_at timestamptz not null,
  primary key (project_id, key, item)
);
-- What is due to be forgotten, of all projects.
create index usage_marks_age on usage_marks (marked_at);
