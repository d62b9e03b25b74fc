import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decimalFromPico, picoFromDecimal } from '../../src/core/pricing/index.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { newProject, openUsage, type UsageApp } from '../support/feature-app.js'

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

const FROM = Date.parse('2026-03-01T00:00:00Z')
const UNTIL = Date.parse('2026-06-01T00:00:00Z')
const name = fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'B', 'b', 'é', '__proto__')
const maybe = fc.option(name)
const event = fc.record({
  time: fc.integer({ min: FROM, max: UNTIL - 1 }),
  model: name,
  alias: maybe,
  origin: maybe,
  cost: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  input_tokens: fc.option(fc.nat(1e9)),
  output_tokens: fc.option(fc.nat(1e9)),
  cached_input_tokens: fc.constant(0),
})
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never
type Logged = Event & { readonly pico: bigint; readonly unpriced: boolean }

const groupBy = fc.constantFrom('day', 'week', 'month')
const bound = fc.integer({ min: FROM - 86_400_000, max: UNTIL + 86_400_000 })

/** The first day of an event's period, worked out without Postgres. */
function periodOf(time: number, group: string): string {
  const date = new Date(time)
  if (group === 'month') date.setUTCDate(1)
  if (group === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}

function groups<K>(events: readonly Logged[], key: (event: Logged) => K | null): Map<K, Logged[]> {
  const found = new Map<K, Logged[]>()
  for (const one of events) {
    const value = key(one)
    if (value !== null) found.set(value, [...(found.get(value) ?? []), one])
  }
  return found
}

const sum = (events: readonly Logged[]) => decimalFromPico(events.reduce((total, { pico }) => total + pico, 0n))
const tokens = (events: readonly Logged[], of: 'input_tokens' | 'output_tokens') =>
  events.reduce((total, one) => total + (one[of] ?? 0), 0)
const tally = (events: readonly Logged[]) => ({
  ...{ requests: events.length, cost: sum(events) },
  ...{ input_tokens: tokens(events, 'input_tokens'), output_tokens: tokens(events, 'output_tokens') },
})
const ordered = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

function topModel(events: readonly Logged[]): string {
  const counted = [...groups(events, ({ model }) => model)]
  counted.sort(([a, x], [b, y]) => y.length - x.length || ordered(a, b))
  return counted[0]?.[0] ?? ''
}

function expected(events: readonly Logged[], group: string) {
  const by = (key: (event: Logged) => string | null) =>
    Object.fromEntries([...groups(events, key)].map(([value, list]) => [value, tally(list)]))
  const origins = [...groups(events, ({ origin }) => origin)]
  return {
    summary: {
      ...{ total_requests: events.length, total_cost: sum(events) },
      total_tokens: tokens(events, 'input_tokens') + tokens(events, 'output_tokens'),
      unique_models: groups(events, ({ model }) => model).size,
      unique_origins: origins.length,
      unpriced_requests: events.filter(({ unpriced }) => unpriced).length,
    },
    by_day: [...groups(events, ({ time }) => periodOf(time, group))]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([date, list]) => ({ date, requests: list.length, cost: sum(list), top_model: topModel(list) })),
    by_model: by(({ model }) => model),
    by_alias: by(({ alias }) => alias),
    by_origin: Object.fromEntries(
      origins.map(([key, list]) => [key, { requests: list.length, cost: Number(sum(list)) }]),
    ),
  }
}

it('stats are what adding up the events one by one gives, in every range and grouping, to the last pico-dollar', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 40, size: 'max' }),
      groupBy,
      bound,
      bound,
      async (events, group, a, b) => {
        const project = newProject()
        const logged: Logged[] = []
        for (const { time, ...sent } of events) {
          app.now = time
          const answer = await app.log(sent, project)
          const unpriced = ['unknown_model', 'no_price', 'no_registry'].includes(answer.cost_status)
          logged.push({ ...sent, time, unpriced, pico: picoFromDecimal(answer.cost_decimal) ?? 0n })
        }
        const [start, end] = [Math.min(a, b), Math.max(a, b)]
        const range = `start_date=${new Date(start).toISOString()}&end_date=${new Date(end).toISOString()}`
        const { json } = await app.call(`/api/v1/stats?${range}&group_by=${group}`, { project })
        const inside = logged.filter(({ time }) => time >= start && time <= end)
        expect(json).toEqual(expected(inside, group))
      },
    ),
    { numRuns: 25 },
  )
})
