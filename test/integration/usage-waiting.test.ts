import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FindPrice } from '../../src/features/usage/price/price-event.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { fixturePrices, openUsage, type UsageApp, type UsageAppOptions } from '../support/feature-app.js'
import { holdTransaction } from '../support/held-transaction.js'

let database: TestDatabase
const opened: UsageApp[] = []
const loaded = new Set<string>()
const findPrice: FindPrice = (provider, model) =>
  loaded.has(provider) ? fixturePrices(provider, model) : { status: 'no_registry' }

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

beforeEach(async () => {
  database = await cloneDatabase()
  loaded.clear()
})
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close()
  await database.drop()
})

const open = async (options: Partial<UsageAppOptions> = {}) => {
  const app = await openUsage({ url: database.url, findPrice, registryLoaded: async () => loaded.size > 0, ...options })
  opened.push(app)
  return app
}
/** An instance whose first pass, the one at its start, is over. */
const openSettled = async () => {
  const app = await open()
  await app.usage.priceWaiting()
  return app
}
const statuses = async (app: UsageApp) => {
  const rows = await app.database.sql`
    select cost_status as status, count(*)::int as n from usage_logs group by 1 order by 1`
  return Object.fromEntries(rows.map((row) => [row.status, row.n]))
}

describe('an event before any registry', () => {
  it('waits for the first load and is then priced like any other', async () => {
    const [asked, arrival] = [deferred<void>(), deferred<boolean>()]
    const app = await open({
      registryLoaded: () => {
        asked.resolve()
        return arrival.promise
      },
    })
    const logged = app.log()
    await asked.promise
    expect(await app.database.sql`select 1 from usage_logs`).toHaveLength(0)
    loaded.add('openai')
    arrival.resolve(true)
    expect(await logged).toMatchObject({ cost_status: 'priced', cost: 0.000384 })
  })

  it('is recorded without a price where none comes, says so, and is counted by stats', async () => {
    const app = await open()
    expect(await app.log()).toMatchObject({ cost: 0, cost_status: 'no_registry', computed_cost: null })
    expect(await app.log({ cost: 0.5 })).toMatchObject({ cost: 0.5, cost_status: 'reported', computed_cost: null })
    const { json } = await app.call('/api/v1/stats')
    expect(json.summary).toMatchObject({ total_requests: 2, total_cost: '0.500000000000', unpriced_requests: 1 })
  })

  it('is not made to wait once the registry is there', async () => {
    loaded.add('openai')
    const app = await open({ registryLoaded: () => Promise.reject(new Error('nobody should ask')) })
    expect(await app.log()).toMatchObject({ cost_status: 'priced' })
  })
})

describe('pricing what waits', () => {
  it('gives every row the price it would have had, in chunks, and leaves reported costs alone', async () => {
    const app = await openSettled()
    await Promise.all([
      ...Array.from({ length: 1_100 }, (_, index) => app.log({ input_tokens: index, metadata: { index } })),
      app.log({ model: 'nobody' }),
      app.log({ model: 'gpt-audio-preview' }),
      app.log({ cost: 7 }),
      app.log({ input_tokens: 4, cached_input_tokens: 2455, input_tokens_include_cache: false, output_tokens: 0 }),
    ])
    loaded.add('openai')
    expect(await app.usage.priceWaiting()).toBe(1_103)
    expect(await statuses(app)).toEqual({ priced: 1_101, unknown_model: 1, no_price: 1, reported: 1 })
    const rows = await app.database.sql`
      select input_tokens, cost, computed_cost, registry_provider_version as version, unit_prices, metadata
      from usage_logs where metadata is not null`
    for (const row of rows) {
      const cost = `0.000${String(Number(row.input_tokens) * 150 + 340 * 600).padStart(6, '0')}000`
      const unit = { dollars_per_million_tokens_output: '0.6' }
      const both = { ...unit, dollars_per_million_tokens_input: '0.15' }
      expect(row).toEqual({
        ...{ input_tokens: row.input_tokens, cost, computed_cost: cost, version: 'openai@2' },
        ...{ unit_prices: row.input_tokens === '0' ? unit : both, metadata: { index: Number(row.input_tokens) } },
      })
    }
    expect(await app.usage.priceWaiting()).toBe(0)
  })

  it('passes over rows whose provider is still missing, and takes them when it comes', async () => {
    const app = await openSettled()
    for (let index = 0; index < 3; index++) {
      await app.log({ provider: 'anthropic', model: 'claude-3-7-sonnet-20250219' })
      await app.log()
    }
    loaded.add('openai')
    expect(await app.usage.priceWaiting()).toBe(3)
    expect(await statuses(app)).toEqual({ priced: 3, no_registry: 3 })
    loaded.add('anthropic')
    expect(await app.usage.priceWaiting()).toBe(3)
    expect(await statuses(app)).toEqual({ priced: 6 })
  })

  it('prices each row once when several instances do it at the same time', async () => {
    const instances = [await openSettled(), await openSettled(), await openSettled()]
    const [first] = instances as [UsageApp]
    await Promise.all(Array.from({ length: 900 }, () => first.log()))
    loaded.add('openai')
    const counts = await Promise.all(instances.map((app) => app.usage.priceWaiting()))
    expect(counts.reduce((sum, count) => sum + count)).toBe(900)
    expect(await statuses(first)).toEqual({ priced: 900 })
  })

  it('does not miss a row that was under way while the registry came', async () => {
    const app = await openSettled()
    const unlock = await holdTransaction(app.database.sql, (tx) => tx`lock table usage_logs in access exclusive mode`)
    const logged = app.log()
    await eventually(async () => {
      const [row] = await app.database
        .sql`select 1 from pg_locks where not granted and relation = 'usage_logs'::regclass`
      expect(row).toBeDefined()
    })
    loaded.add('openai')
    await unlock()
    expect(await logged).toMatchObject({ cost_status: 'no_registry' })
    await eventually(async () => expect(await statuses(app)).toEqual({ priced: 1 }))
  })

  it('is done at the start of an instance: rows of one that crashed before it could do it', async () => {
    const crashed = await open()
    await crashed.log()
    loaded.add('openai')
    const next = await open()
    await eventually(async () => expect(await statuses(next)).toEqual({ priced: 1 }))
  })
})
