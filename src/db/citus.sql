-- How the tables lie on a Citus cluster. `llmring-server migrate --citus` runs this after the migrations, one statement
-- at a time; a table that lies where it should is left alone, so it can be run again, and has to be after an upgrade
-- that adds tables. By hand: psql with search_path set to the schema of the service.

-- Small, and read by every project: a copy on each node.
select create_reference_table('projects') where not exists (select from pg_dist_partition where logicalrelid = 'projects'::regclass);
select create_reference_table('project_keys') where not exists (select from pg_dist_partition where logicalrelid = 'project_keys'::regclass);
select create_reference_table('registry_files') where not exists (select from pg_dist_partition where logicalrelid = 'registry_files'::regclass);
select create_reference_table('receipt_keys') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_keys'::regclass);

-- The log (tables log_…) is one tree, and stays on the coordinator; so do the heads of the receipts' chains, since a
-- group of receipts locks those of many projects in one statement, which Citus refuses for a distributed table.

-- What a project owns: all of it on one node, so that its statements and transactions stay there.
select create_distributed_table('alias_heads', 'project_id', colocate_with => 'none') where not exists (select from pg_dist_partition where logicalrelid = 'alias_heads'::regclass);
select create_distributed_table('aliases', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'aliases'::regclass);
select create_distributed_table('alias_history', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'alias_history'::regclass);
select create_distributed_table('alias_revisions', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'alias_revisions'::regclass);
select create_distributed_table('lock_headers', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'lock_headers'::regclass);
select create_distributed_table('lock_digests', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'lock_digests'::regclass);
select create_distributed_table('usage_logs', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'usage_logs'::regclass);
select create_distributed_table('receipts', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipts'::regclass);
select create_distributed_table('receipt_batches', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_batches'::regclass);
select create_distributed_table('receipt_members', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_members'::regclass);
select create_distributed_table('receipt_member_tiles', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_member_tiles'::regclass);
select create_distributed_table('receipt_coverage', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_coverage'::regclass);
select create_distributed_table('receipt_client_keys', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_client_keys'::regclass);
select create_distributed_table('receipt_erasures', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'receipt_erasures'::regclass);
select create_distributed_table('webhooks', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'webhooks'::regclass);
select create_distributed_table('webhook_deliveries', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'webhook_deliveries'::regclass);
select create_distributed_table('usage_marks', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'usage_marks'::regclass);
select create_distributed_table('usage_combos', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'usage_combos'::regclass);
select create_distributed_table('usage_rollups', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'usage_rollups'::regclass);
select create_distributed_table('reprice_jobs', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'reprice_jobs'::regclass);
select create_distributed_table('usage_latencies', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'usage_latencies'::regclass);
select create_distributed_table('budget_heads', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'budget_heads'::regclass);
select create_distributed_table('budgets', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'budgets'::regclass);
select create_distributed_table('budget_crossings', 'project_id', colocate_with => 'alias_heads') where not exists (select from pg_dist_partition where logicalrelid = 'budget_crossings'::regclass);
