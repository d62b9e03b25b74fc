-- Which instance submits checkpoints to the witnesses, and until when unless it renews that. Null: no instance does.
alter table log_head add column witness_holder uuid, add column witness_until timestamptz;
