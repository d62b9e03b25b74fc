import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { newProject, openUsage, type UsageApp } from '../support/feature-app.js'
import { faultsInRollups } from '../support/kept-writes.js'

let database: TestDatabase
let app: UsageApp

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

type Project = ReturnType<typeof newProject>
const name = fc.constantFrom('a', 'é', '__proto__', '"', '')
const count = fc.oneof(fc.nat(1_000_000), fc.nat(1_000).map(String), fc.constantFrom(null, -1, 1.5, '01', true))
/** Some of these are refused: wrong counts, costs and times, more cached tokens than input. */
const event = fc.record(
  {
    ...{ provider: fc.constantFrom('openai', 'anthropic', 'nowhere'), model: fc.constantFrom('gpt-4o-mini', 'x', '') },
    ...{ input_tokens: count, output_tokens: count, cached_input_tokens: fc.nat(10) },
    ...{ alias: fc.option(name), origin: fc.option(name), metadata: fc.option(fc.dictionary(name, fc.nat())) },
    cost: fc.oneof(fc.double({ noNaN: true, min: -1, max: 1e6 }), fc.constantFrom(null, '0.1', '1e3')),
    timestamp: fc.constantFrom(
      null,
      '2026-03-15T11:59:00Z',
      '2026-03-01T00:00:00+05:45',
      '2027-01-01T00:00:00Z',
      'soon',
    ),
    idempotency_key: fc.option(fc.constantFrom('k1', 'k2', 'k3')),
  },
  { requiredKeys: ['provider', 'model', 'input_tokens', 'output_tokens'] },
)
type Sent = Record<string, unknown>
type Result = Record<string, unknown> & { readonly status: number }

/** What two answers to the same event have in common: ids are other ones. */
function comparable(results: readonly Result[]): unknown[] {
  const numbers = new Map<unknown, number>()
  return results.map(({ log_id: id, request_id: _, type: __, title: ___, ...rest }) => {
    if (id !== undefined && !numbers.has(id)) numbers.set(id, numbers.size)
    return { ...rest, row: numbers.get(id) }
  })
}

async function singly(project: Project, events: readonly Sent[]): Promise<Result[]> {
  const results: Result[] = []
  for (const json of events) {
    const answer = await app.call('/api/v1/log', { project, json })
    results.push({ ...answer.json, status: answer.status })
  }
  return results
}

async function inBatch(project: Project, events: readonly Sent[], form: 'array' | 'lines'): Promise<Result[]> {
  const body = form === 'array' ? JSON.stringify(events) : events.map((one) => JSON.stringify(one)).join('\n')
  const headers = { 'Content-Type': form === 'array' ? 'application/json' : 'application/x-ndjson' }
  const { status, json } = await app.call('/api/v1/log/batch', { project, body, headers })
  expect(status).toBe(200)
  expect(json.recorded + json.replayed + json.refused).toBe(events.length)
  return json.results
}

const recorded = async (project: Project) => app.database.sql`
  select logged_at, provider, model, alias, origin, input_tokens, output_tokens, cached_input_tokens, cost, computed_cost,
    reported_cost, cost_status, registry_provider_version, metadata::text as metadata
  from usage_logs where project_id = ${project}
  order by logged_at, provider, model, alias, origin, input_tokens, output_tokens, cached_input_tokens, cost, metadata::text`

it('a batch answers and records each event as it would be alone, in either form, and all are added up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 12 }), fc.constantFrom('array', 'lines'), async (events, form) => {
      const [one, other] = [newProject(), newProject()]
      const alone = await singly(one, events)
      const together = await inBatch(other, events, form as 'array' | 'lines')
      expect(comparable(together)).toEqual(comparable(alone))
      expect([...(await recorded(other))]).toEqual([...(await recorded(one))])
    }),
    { numRuns: 20 },
  )
  expect(await faultsInRollups(app.database.sql)).toEqual([])
})

it('a batch that is sent again with its key, whole, gives the same results and records nothing more', async () => {
  const plain = event.map(({ idempotency_key: _, ...rest }: Sent) => rest)
  await fc.assert(
    fc.asyncProperty(fc.array(plain, { maxLength: 12 }), async (events) => {
      const project = newProject()
      const send = () =>
        app.call('/api/v1/log/batch', { project, json: events, headers: { 'Idempotency-Key': 'whole' } })
      const [first, again, third] = [await send(), await send(), await send()]
      expect([again.json.recorded, third.json.recorded]).toEqual([0, 0])
      expect(again.json.results).toEqual(first.json.results)
      expect(third.json.results).toEqual(first.json.results)
      expect(await recorded(project)).toHaveLength(first.json.recorded)
    }),
    { numRuns: 10 },
  )
  expect(await faultsInRollups(app.database.sql)).toEqual([])
})
