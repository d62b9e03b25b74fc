import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRollups } from '../../src/features/usage/feature.js'
import { foldRollups } from '../../src/features/usage/rollups/fold-rollups.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { EVENT, newProject, openUsage, type UsageApp } from '../support/feature-app.js'

let database: TestDatabase
let app: UsageApp

const NOW = Date.parse('2026-12-15T12:00:00Z')
// The clocks of Berlin, New York, Cairo, Lord Howe and Havana are moved in it; Cairo and Havana do so at midnight.
const FROM = Date.parse('2026-03-01T00:00:00Z')
const UNTIL = Date.parse('2026-12-01T00:00:00Z')
const DAY_MS = 86_400_000

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
  app.now = NOW
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

const zone = fc.constantFrom(
  ...['UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Europe/Berlin', 'America/New_York', 'America/St_Johns', 'Africa/Cairo'],
  ...['Australia/Lord_Howe', 'America/Havana', 'Pacific/Kiritimati', 'Pacific/Marquesas', 'Etc/GMT+12'],
)
// Around midnight of some zone, when clocks are moved, or at any time.
const moved = [
  '2026-03-08T07:00',
  '2026-03-29T01:00',
  '2026-04-04T15:00',
  '2026-04-23T22:00',
  '2026-10-25T01:00',
  '2026-11-01T06:00',
]
const time = fc.oneof(
  fc.integer({ min: FROM, max: UNTIL - 1 }),
  fc
    .tuple(fc.constantFrom(...moved), fc.integer({ min: -3 * 3_600_000, max: 3 * 3_600_000 }))
    .map(([text, ms]) => Date.parse(`${text}Z`) + ms),
  fc.integer({ min: 0, max: 96 * 40 }).map((quarter) => FROM + quarter * 900_000),
)
const name = fc.constantFrom('a', 'b', 'é"', '__proto__')
const event = fc.record({
  ...{
    time,
    model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'nobody'),
    alias: fc.option(name),
    origin: fc.option(name),
  },
  ...{ cost: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })), input_tokens: fc.nat(1e9) },
  ...{ output_tokens: fc.option(fc.nat(1e9)), cached_input_tokens: fc.constant(0) },
})
const groupBy = fc.constantFrom('hour', 'day', 'week', 'month')

/** Adds up the rows themselves; Postgres knows the zones, too. */
async function expected(project: string, group: string, tz: string, from: number, until: number) {
  const rows = await app.database.sql<{ at: Date; date: string; requests: number; cost: string }[]>`
    select date_trunc(${group}::text, logged_at, ${tz}::text) as at,
      to_char(date_trunc(${group}::text, logged_at, ${tz}::text) at time zone ${tz}::text, 'YYYY-MM-DD') as date,
      count(*)::int as requests, sum(cost)::text as cost
    from usage_logs where project_id = ${project}
      and logged_at >= to_timestamp(${from}::float8 / 1000) and logged_at < to_timestamp(${until}::float8 / 1000)
    group by 1, 2 order by 1 desc`
  const parts = rows.map(({ at, date, requests, cost }) => ({
    date: group === 'hour' ? at.getTime() : date,
    requests,
    cost,
  }))
  const [whole] = await app.database.sql`
    select count(*)::int as total_requests, coalesce(sum(cost), 0::numeric(30, 12))::text as total_cost,
      (coalesce(sum(input_tokens), 0) + coalesce(sum(output_tokens), 0))::float8 as total_tokens,
      count(distinct model)::int as unique_models, count(distinct origin)::int as unique_origins,
      (count(*) filter (where cost_status in ('unknown_model', 'no_price', 'no_registry')))::int as unpriced_requests
    from usage_logs where project_id = ${project}
      and logged_at >= to_timestamp(${from}::float8 / 1000) and logged_at < to_timestamp(${until}::float8 / 1000)`
  return { parts, whole }
}

it('stats are the sums of the rows in every zone, period and grouping, folded or not, to the last pico-dollar', async () => {
  const rollups = openRollups(app.database.sql)
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 40, size: 'max' }),
      ...([zone, groupBy, time, time, fc.constantFrom(0, 1, 2)] as const),
      async (events, tz, group, a, b, folds) => {
        const project = newProject()
        const json = events.map(({ time: ms, ...sent }) => ({
          ...EVENT,
          ...sent,
          timestamp: new Date(ms).toISOString(),
        }))
        const half = Math.floor(json.length / 2)
        const send = (list: object[]) => app.call('/api/v1/log/batch', { project, json: list })
        await send(json.slice(0, half))
        if (folds > 0) await foldRollups({ clock: () => NOW + DAY_MS, ...rollups, rowsMax: 50 })
        await send(json.slice(half))
        if (folds > 1) await foldRollups({ clock: () => NOW + DAY_MS, ...rollups, rowsMax: 50 })
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        const range = `start_date=${new Date(start).toISOString()}&end_date=${new Date(end).toISOString()}`
        const { json: found } = await app.call(
          `/api/v1/stats?${range}&group_by=${group}&tz=${encodeURIComponent(tz)}`,
          { project },
        )
        const { parts, whole } = await expected(project, group, tz, start, end + 1)
        expect(found.summary).toEqual(whole)
        const shown = found.by_day.map((part: { date: string; requests: number; cost: string }) => ({
          date: group === 'hour' ? Date.parse(part.date) : part.date,
          ...{ requests: part.requests, cost: part.cost },
        }))
        // An hour in which a clock was moved is told apart here; Postgres names it by its beginning on the wall.
        if (group !== 'hour' || !['Australia/Lord_Howe'].includes(tz)) expect(shown).toEqual(parts)
        const requests = shown.reduce((sum: number, part: { requests: number }) => sum + part.requests, 0)
        expect(requests).toBe(whole?.['total_requests'])
      },
    ),
    { numRuns: Number(process.env['STATS_RUNS'] ?? 40) },
  )
})
