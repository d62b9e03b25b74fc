import type { Sql } from '../../src/db/client.js'

export type RowCounts = {
  readonly receipts: number
  readonly events: number
  /** In one profile. */
  readonly aliases: number
  /** Of these, with metadata of the largest size. */
  readonly largeAliases: number
  readonly changes: number
}

/**
 * Fills a project with rows that are as large as rows may be and cost their reader as much as they can. Every large value
 * is made once and copied by Postgres.
 */
export async function insertWorstRows(sql: Sql, projectId: string, counts: RowCounts): Promise<void> {
  // Each quote becomes two characters inside of another JSON text.
  const receipt = `{"metadata":[${'"",'.repeat(21_000)}0]}`
  const metadata = JSON.stringify(Object.fromEntries(Array.from({ length: 4_500 }, (_, at) => [`m${at}`, at])))
  await sql`
    insert into receipts (project_id, id, kind, key_id, canonical, entry, stored_at)
    select ${projectId}::uuid, 'rcpt_' || lpad(n::text, 6, '0'), 'stored', 'k', bytes, sha256(bytes),
      now() - n * interval '1 ms'
    from generate_series(1, ${counts.receipts}::int) as n, convert_to(${receipt}::text, 'UTF8') as bytes`
  await sql`
    insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status, metadata)
    select ${projectId}::uuid, now() - n * interval '1 ms', gen_random_uuid(), 'openai', 'gpt-4o-mini', 0, 'no_price', ${metadata}::text::jsonb
    from generate_series(1, ${counts.events}::int) as n`
  await sql`
    insert into aliases (project_id, profile, alias, id, models, metadata, revision, created_at, updated_at, metadata_bytes, names_bytes, place)
    select ${projectId}::uuid, 'default', 'a' || n, n, array(select 'abcd:' || lpad(((n + m) % 9973)::text, 7, '0') from generate_series(1, 32) as m),
      large.metadata, 1, now(), now(), coalesce(octet_length(large.metadata::text), 0), 400, n
    from generate_series(1, ${counts.aliases}::int) as n
    left join (select ${metadata}::text::jsonb as metadata) as large on n <= ${counts.largeAliases}::int`
  await sql`
    insert into alias_heads (project_id, revision, last_id, alias_count, epoch)
    values (${projectId}::uuid, 1, ${counts.aliases}::int, ${counts.aliases}::int, gen_random_uuid())
    on conflict (project_id) do update set last_id = excluded.last_id, alias_count = excluded.alias_count`
  await sql`
    insert into alias_history (project_id, revision, profile, alias, action, models, metadata, changed_at)
    select ${projectId}::uuid, 1, 'default', 'a' || n, 'set', array['a:b'], ${metadata}::text::jsonb, now()
    from generate_series(1, ${counts.changes}::int) as n`
}
