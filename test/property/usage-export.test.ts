import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'

/** What the routes must agree with: rows as they were written, filtered, sorted and rendered here in the plainest way. */
type Row = {
  readonly id: string
  readonly ms: number
  readonly provider: string
  readonly model: string
  readonly alias: string | null
  readonly profile: string | null
  readonly origin: string | null
  readonly status: string
  readonly tokens: number | null
  /** Pico-USD. */
  readonly cost: bigint
  readonly metadata: unknown
}
type Filter = Partial<Record<'provider' | 'model' | 'alias' | 'profile' | 'origin' | 'cost_status', string>>

let database: TestDatabase
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const BASE = Math.floor(Date.now() / 1000) * 1000
/** Names that meet quotes, line ends, separators, formulas and more than one byte. */
const name = fc.constantFrom('a', 'b', 'say "x"', 'a,b', 'two\nlines', '\r\n', '=1+1', '-2', ' lead', 'ünï', '😀', "'")
const nameOrNull = fc.option(name, { nil: null })
const row: fc.Arbitrary<Row> = fc.record({
  id: fc.uuid({ version: 7 }),
  // Few moments, so that many rows share one.
  ms: fc.integer({ min: 0, max: 12 }).map((step) => BASE + step * 100),
  provider: fc.constantFrom('openai', 'anthropic'),
  model: name,
  alias: nameOrNull,
  profile: nameOrNull,
  origin: nameOrNull,
  status: fc.constantFrom('reported', 'priced', 'unknown_model'),
  tokens: fc.option(fc.integer({ min: 0, max: 1_000_000_000_000 }), { nil: null }),
  cost: fc.bigInt({ min: 0n, max: 10n ** 18n }),
  metadata: fc.option(
    fc.dictionary(name, fc.oneof(name, fc.integer(), fc.boolean(), fc.constant(null)), { noNullPrototype: true }),
    {
      nil: null,
    },
  ),
})
const rows = fc.uniqueArray(row, { minLength: 1, maxLength: 40, selector: ({ id }) => id })
const filter: fc.Arbitrary<Filter> = fc.record(
  {
    provider: fc.constantFrom('openai', 'anthropic', 'nobody'),
    model: name,
    alias: name,
    profile: name,
    origin: name,
    cost_status: fc.constantFrom('reported', 'priced', 'unknown_model', 'no_price'),
  },
  { requiredKeys: [] },
)
const sparse = fc.oneof({ weight: 2, arbitrary: fc.constant<Filter>({}) }, { weight: 3, arbitrary: filter })
const period = fc.record({
  from: fc.option(fc.integer({ min: -1, max: 13 }), { nil: undefined }),
  until: fc.option(fc.integer({ min: -1, max: 13 }), { nil: undefined }),
})

const decimalOf = (pico: bigint): string => {
  const digits = pico.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`
}

/** A project of its own with these rows. */
async function keep(written: readonly Row[]): Promise<string> {
  const key = `property-${randomUUID()}`
  const event = { provider: 'p', model: 'first', input_tokens: 1, output_tokens: 1 }
  const { json } = await service.call('/api/v1/log', { key, json: event })
  const shown = written.map(({ cost, ms, ...rest }) => ({
    ...rest,
    at: new Date(ms).toISOString(),
    cost: decimalOf(cost),
  }))
  await service.sql`
    insert into usage_logs (project_id, logged_at, id, provider, model, alias, profile, origin, input_tokens, cost, cost_status, metadata)
    select first.project_id, r.at::timestamptz, r.id, r.provider, r.model, r.alias, r.profile, r.origin, r.tokens, r.cost, r.status, r.metadata
    from usage_logs first, jsonb_to_recordset(${JSON.stringify(shown)}::text::jsonb) as r
      (at text, id uuid, provider text, model text, alias text, profile text, origin text, tokens bigint, cost numeric, status text, metadata jsonb)
    where first.id = ${json.log_id}`
  await service.sql`delete from usage_logs where id = ${json.log_id}`
  return key
}

function expectedOf(
  written: readonly Row[],
  wanted: Filter,
  { from, until }: { from?: number | undefined; until?: number | undefined },
) {
  const inside = written.filter(
    (one) =>
      (from === undefined || one.ms >= BASE + from * 100) &&
      (until === undefined || one.ms <= BASE + until * 100) &&
      (wanted.provider ?? one.provider) === one.provider &&
      (wanted.model ?? one.model) === one.model &&
      (wanted.alias ?? one.alias) === one.alias &&
      (wanted.profile ?? one.profile) === one.profile &&
      (wanted.origin ?? one.origin) === one.origin &&
      (wanted.cost_status ?? one.status) === one.status,
  )
  return inside.sort((one, other) => one.ms - other.ms || (one.id < other.id ? -1 : 1))
}

const queryOf = (wanted: Filter, { from, until }: { from?: number | undefined; until?: number | undefined }) => {
  const query = new URLSearchParams(wanted)
  if (from !== undefined) query.set('start_date', new Date(BASE + from * 100).toISOString())
  if (until !== undefined) query.set('end_date', new Date(BASE + until * 100).toISOString())
  return query
}

async function text(key: string, path: string, query: URLSearchParams): Promise<string> {
  const answer = await service.call(`/api/v1/${path}?${query}`, { key })
  expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.any(String)])
  return answer.text
}

/** A reader of RFC 4180 of the test's own: fields of each record. */
function parseCsv(csv: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < csv.length; at++) {
    const one = csv[at]
    if (quoted && one === '"' && csv[at + 1] === '"') {
      field += '"'
      at += 1
    } else if (one === '"') quoted = !quoted
    else if (quoted) field += one
    else if (one === ',') {
      record.push(field)
      field = ''
    } else if (one === '\r' && csv[at + 1] === '\n') {
      records.push([...record, field])
      record = []
      field = ''
      at += 1
    } else field += one
  }
  expect([quoted, record, field]).toEqual([false, [], ''])
  return records
}

const RUNS = { numRuns: 25 }

describe('for any events, filters and periods', () => {
  test('a download as NDJSON is what was written, in order, to the last pico-dollar', async () => {
    await fc.assert(
      fc.asyncProperty(rows, sparse, period, async (written, wanted, when) => {
        const key = await keep(written)
        const lines = (await text(key, 'export', queryOf(wanted, when))).trimEnd().split('\n')
        const end = JSON.parse(lines.pop() ?? '')
        const expected = expectedOf(written, wanted, when)
        expect(end.rows).toBe(expected.length)
        const shown = lines.map((line) => JSON.parse(line))
        expect(shown.map((one) => [one.id, one.logged_at, one.cost_decimal, one.input_tokens, one.metadata])).toEqual(
          expected.map((one) => [
            one.id,
            new Date(one.ms).toISOString(),
            decimalOf(one.cost),
            one.tokens,
            one.metadata,
          ]),
        )
        expect(
          shown.map(({ provider, model, alias, profile, origin, cost_status: status }) => ({
            provider,
            model,
            alias,
            profile,
            origin,
            status,
          })),
        ).toEqual(
          expected.map(({ provider, model, alias, profile, origin, status }) => ({
            provider,
            model,
            alias,
            profile,
            origin,
            status,
          })),
        )
      }),
      RUNS,
    )
  })

  test('a download as CSV, read back, has the same in its cells', async () => {
    await fc.assert(
      fc.asyncProperty(rows, sparse, async (written, wanted) => {
        const key = await keep(written)
        const query = queryOf(wanted, {})
        query.set('format', 'csv')
        query.set('formulas', 'keep')
        const [header = [], ...records] = parseCsv(await text(key, 'export', query))
        const expected = expectedOf(written, wanted, {})
        expect(records.every((record) => record.length === header.length)).toBe(true)
        const column = (member: string) => records.map((record) => record[header.indexOf(member)])
        expect(column('id')).toEqual(expected.map(({ id }) => id))
        expect(column('model')).toEqual(expected.map(({ model }) => model))
        expect(column('alias')).toEqual(expected.map(({ alias }) => alias ?? ''))
        expect(column('cost_decimal')).toEqual(expected.map(({ cost }) => decimalOf(cost)))
        expect(column('input_tokens')).toEqual(expected.map(({ tokens }) => (tokens === null ? '' : String(tokens))))
        const metadata = column('metadata').map((cell) => (cell === '' ? null : JSON.parse(cell ?? '')))
        expect(metadata).toEqual(expected.map((one) => one.metadata))
        const cursors = column('cursor').filter((cell) => cell !== '')
        expect(cursors).toHaveLength(expected.length === 0 ? 0 : 1)
      }),
      RUNS,
    )
  })

  test('a list read by its cursors is the same, the other way round, with pages of any size', async () => {
    const limit = fc.integer({ min: 1, max: 9 })
    await fc.assert(
      fc.asyncProperty(rows, sparse, period, limit, async (written, wanted, when, rowsMax) => {
        const key = await keep(written)
        const query = queryOf(wanted, when)
        query.set('paged', 'true')
        query.set('limit', String(rowsMax))
        const ids: string[] = []
        for (;;) {
          const { logs, next_cursor: next } = JSON.parse(await text(key, 'logs', query))
          expect(logs.length).toBeLessThanOrEqual(rowsMax)
          ids.push(...logs.map(({ id }: { id: string }) => id))
          if (next === null) break
          query.set('after', next)
        }
        expect(ids).toEqual(
          expectedOf(written, wanted, when)
            .map(({ id }) => id)
            .reverse(),
        )
      }),
      RUNS,
    )
  })

  test('a download that goes on behind the end finds what came, and nothing twice', async () => {
    const parts = fc.tuple(rows, rows)
    await fc.assert(
      fc.asyncProperty(parts, sparse, async ([first, later], wanted) => {
        const moved = later.map((one) => ({ ...one, id: randomUUID(), ms: one.ms + 10_000 }))
        const key = await keep(first)
        const query = queryOf(wanted, {})
        const before = (await text(key, 'export', query)).trimEnd().split('\n')
        const { next_cursor: next } = JSON.parse(before.pop() ?? '')
        const other = await keep(moved)
        await service.sql`
          update usage_logs set project_id = (select project_id from usage_logs where id = ${first[0]?.id ?? ''})
          where id = any (${`{${moved.map(({ id }) => id).join(',')}}`}::text::uuid[])`
        expect((await text(other, 'export', new URLSearchParams())).split('\n')).toHaveLength(2)
        if (next !== null) query.set('after', next)
        const after = (await text(key, 'export', query)).trimEnd().split('\n')
        after.pop()
        const ids = [...before, ...after].map((line) => JSON.parse(line).id)
        expect(ids).toEqual(expectedOf([...first, ...moved], wanted, {}).map(({ id }) => id))
      }),
      RUNS,
    )
  })
})
