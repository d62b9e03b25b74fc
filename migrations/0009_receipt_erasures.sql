-- Receipts that were erased one by one. The body is gone; its entry stays in the log, and its place in the chain known.
create table receipt_erasures (
  project_id uuid not null,
  -- SHA-256 of what the receipt's canonical bytes were.
  entry bytea not null,
  -- Its place among the issued ones; null if it was stored.
  seq bigint,
  erased_at timestamptz not null,
  primary key (project_id, entry)
);
create index receipt_erasures_chain on receipt_erasures (project_id, seq) where seq is not null;
