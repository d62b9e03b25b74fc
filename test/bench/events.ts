import type { Sql } from '../../src/db/client.js'
import { ensureMonthlyPartitions } from '../../src/db/partitions.js'

const DAY_MS = 86_400_000
export const DAYS = 30
const PRICES = { input: '0.15', output: '0.6', cached_input: '0.075' }

export type Filled = { readonly key: string; readonly project: string; readonly rows: number }

/**
 * Events of a project of the last 30 days before `until`: 20 models, 10 aliases, 2 profiles and 5 origins, of which 200
 * combinations live, by Zipf's law. They are rows alone, without sums.
 */
export async function fillEvents(
  sql: Sql,
  served: { readonly url: string },
  { key, rows, until }: { readonly key: string; readonly rows: number; readonly until: number },
): Promise<Filled> {
  const headers = { 'X-Project-Key': key, 'Content-Type': 'application/json' }
  const event = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1, output_tokens: 1 }
  const response = await fetch(`${served.url}/api/v1/log`, { method: 'POST', headers, body: JSON.stringify(event) })
  const { log_id: id } = (await response.json()) as { log_id: string }
  const [row] = await sql<{ project: string }[]>`select project_id as project from usage_logs where id = ${id}`
  if (row === undefined) throw new Error(`the first event of ${key} is not there`)
  for (let day = 1; day <= DAYS; day++) await ensureMonthlyPartitions(sql, 'usage_logs', until - day * DAY_MS, 0)
  await sql`
    with weights as (
      select array_agg(edge order by edge) as edges from (
        select sum(1.0 / n) over (order by n) / sum(1.0 / n) over () as edge from generate_series(1, 200) as n
      ) as zipf
    ), events as (
      select n, width_bucket(random(), edges::float8[]) as combo from weights, generate_series(1, ${rows}::int) as n
    )
    insert into usage_logs (project_id, logged_at, id, provider, model, alias, profile, origin, input_tokens, output_tokens,
      cached_input_tokens, latency_ms, cost, computed_cost, cost_status, registry_provider_version, unit_prices)
    select ${row.project}, 
      date_trunc('milliseconds', to_timestamp(${until - DAYS * DAY_MS}::float8 / 1000) + n * (interval '30 days' / ${rows + 1}::int)),
      gen_random_uuid(), 'provider-' || combo % 3, 'model-' || combo % 20, 'alias-' || combo / 20 % 10, 'profile-' || combo % 2,
      'origin-' || combo % 5, n % 4000, n % 900, n % 100, n % 5000, (n % 1000) * 0.000001, (n % 1000) * 0.000001, 'priced',
      'openai@7', ${JSON.stringify(PRICES)}::text::jsonb
    from events`
  return { key, project: row.project, rows }
}
