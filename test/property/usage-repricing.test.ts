import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decimalFromPico, picoFromDecimal } from '../../src/core/pricing/index.js'
import { createTransact, type Transact } from '../../src/db/transact.js'
import { openRollups } from '../../src/features/usage/feature.js'
import type { FindPrice } from '../../src/features/usage/price/price-event.js'
import { foldRollups } from '../../src/features/usage/rollups/fold-rollups.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { fixturePrices, NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'
import { faultsInRollups } from '../support/kept-writes.js'

type Project = ReturnType<typeof newProject>
const DAY_MS = 86_400_000

let database: TestDatabase
let app: UsageApp
let transact: Transact
let isLoaded = true
const findPrice: FindPrice = (provider, model) =>
  isLoaded ? fixturePrices(provider, model) : { status: 'no_registry' }

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url, findPrice, registryLoaded: async () => false })
  transact = createTransact(app.database.sql)
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

const fold = () => foldRollups({ clock: () => NOON + DAY_MS, ...openRollups(app.database.sql), rowsMax: 50 })

/** So many pico-dollars for each token of input; null: the model is not listed. */
type Price = bigint | null
const PERIOD = { fromMs: 0, untilMs: NOON + DAY_MS }

/** Reprices all of a project, page by page; every third event that would change is certified. */
async function reprice(project: Project, prices: Readonly<Record<string, Price>>, rowsMax = 7) {
  let after: { loggedAt: string; id: string } | null = null
  const seen: { before: string; after: string; certified: boolean }[] = []
  for (;;) {
    const { events, isLast } = await app.usage.repricing.price(
      async (_provider, model) => {
        const input = Object.hasOwn(prices, model) ? (prices[model] ?? null) : null
        if (input === null) return { status: 'unknown_model', registryVersion: 'openai@9' }
        return { status: 'found', prices: { unit: { input, output: 0n } }, registryVersion: 'openai@9' }
      },
      project,
      { period: PERIOD, after, rowsMax },
    )
    const changes = events
      .filter((event) => event.before !== event.after)
      .map((event, at) => ({ ...event, certified: at % 3 === 2, stamp: { job_id: randomUUID(), repriced_at: 'now' } }))
    await transact(async (tx) => {
      await app.usage.repricing.hold(tx, project)
      await app.usage.repricing.rewrite(tx, project, changes)
    })
    for (const { before, after: next, certified } of changes) {
      seen.push({ before: before.cost, after: next.cost, certified })
    }
    const last = events.at(-1)
    if (isLast || last === undefined) return seen
    after = { loggedAt: last.loggedAt, id: last.id }
  }
}

const sumOf = (costs: readonly string[]) =>
  decimalFromPico(costs.reduce((sum, cost) => sum + (picoFromDecimal(cost) ?? 0n), 0n))
const totalOf = async (project: Project) => {
  const [row] = await app.database.sql<{ total: string }[]>`
    select coalesce(sum(cost), 0)::numeric(40,12)::text as total from usage_logs where project_id = ${project}`
  return row?.total ?? ''
}

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'nobody', '__proto__'] as const
const name = fc.option(fc.constantFrom('a', 'b', 'é"', '\\N', '{}'))
const event = fc.record({
  ...{ model: fc.constantFrom(...MODELS), alias: name, origin: name, output_tokens: fc.nat(10) },
  ...{ input_tokens: fc.nat(1e9), cost: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { freq: 3 }) },
  timestamp: fc.integer({ min: NOON - 3 * DAY_MS, max: NOON }).map((ms) => new Date(ms).toISOString()),
})
const price: fc.Arbitrary<Price> = fc.option(fc.bigInt({ min: 0n, max: 1_000_000_000_000n }), { freq: 4 })
const prices = fc.record({ 'gpt-4o': price, 'gpt-4o-mini': price, nobody: price })

describe('repricing', () => {
  it('moves the sums by just what it changes in the events, to the last pico-dollar, again and again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 25 }),
        fc.array(prices, { maxLength: 3 }),
        async (events, turns) => {
          const project = newProject()
          for (const sent of events) await app.log({ cached_input_tokens: 0, ...sent }, project)
          let total = await totalOf(project)
          for (const [turn, listed] of turns.entries()) {
            if (turn === 1) await fold()
            const seen = (await reprice(project, listed)).filter(({ certified }) => !certified)
            const moved = sumOf([total, ...seen.flatMap(({ before, after }) => [after, `-${before}`])])
            total = await totalOf(project)
            expect(total).toBe(moved)
          }
          expect(await faultsInRollups(app.database.sql)).toEqual([])
        },
      ),
      { numRuns: 12 },
    )
  })

  it('keeps of every event what it was priced with before it, in order, and of a certified one its cost', async () => {
    const project = newProject()
    for (let at = 0; at < 6; at += 1) await app.log({ input_tokens: 1_000 }, project)
    const before = await app.database
      .sql`select id, cost::text from usage_logs where project_id = ${project} order by id`
    await reprice(project, { 'gpt-4o-mini': 1_000_000n }, 50)
    const rows = await app.database.sql`
      select id, cost::text, earlier_prices -> 0 ->> 'cost' as earlier, repriced ->> 'cost' as beside
      from usage_logs where project_id = ${project} order by logged_at, id`
    expect(rows.map(({ cost, earlier, beside }) => [cost, earlier, beside])).toEqual(
      before.map(({ cost }, at) => (at % 3 === 2 ? [cost, null, '0.001000000000'] : ['0.001000000000', cost, null])),
    )
  })

  it('writes nothing of a chunk if one of its events was priced meanwhile', async () => {
    const project = newProject()
    isLoaded = false
    for (let at = 0; at < 3; at += 1) await app.log({}, project)
    isLoaded = true
    const query = { period: PERIOD, after: null, rowsMax: 10 }
    const price = async () =>
      ({ status: 'found', prices: { unit: { input: 1n, output: 0n } }, registryVersion: 'openai@9' }) as const
    const { events } = await app.usage.repricing.price(price, project, query)
    await app.usage.priceWaiting()
    const changes = events.map((one) => ({ ...one, certified: false, stamp: {} }))
    const late = transact((tx) => app.usage.repricing.rewrite(tx, project, changes))
    await expect(late).rejects.toMatchObject({ code: 'conflict' })
    const [row] = await app.database.sql`
      select count(*)::int as n from usage_logs where project_id = ${project} and earlier_prices is null
        and registry_provider_version = 'openai@2'`
    expect(row?.['n']).toBe(3)
    expect(await faultsInRollups(app.database.sql)).toEqual([])
  })

  it('waits for writers, folds and what prices events later, and never deadlocks with them', async () => {
    const project = newProject()
    const send = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, at) => app.log({ alias: `alias-${at % 4}` }, project)))
    await send(30)
    for (let turn = 0; turn < 4; turn += 1) {
      isLoaded = turn % 2 === 0
      await Promise.all([
        send(20),
        fold(),
        app.usage.priceWaiting(),
        // A page that was priced meanwhile is refused as a whole: the job would try it again.
        reprice(project, { 'gpt-4o-mini': BigInt(1_000 * (turn + 1)) }).catch((error: { code?: string }) => {
          if (error.code !== 'conflict') throw error
        }),
      ])
    }
    isLoaded = true
    await app.usage.priceWaiting()
    await fold()
    expect(await faultsInRollups(app.database.sql)).toEqual([])
    const [row] = await app.database.sql`select count(*)::int as n from usage_logs where project_id = ${project}`
    expect(row?.['n']).toBe(110)
  })
})
