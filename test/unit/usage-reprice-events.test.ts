import { describe, expect, it } from 'vitest'
import { type FindPriceAt, type Priced, repriceEvents } from '../../src/features/usage/price/reprice-events.js'
import type { RecordedPrice } from '../../src/features/usage/price/repricing-store.js'
import { newProject } from '../support/feature-app.js'

const INPUT = 'dollars_per_million_tokens_input'
const AT = new Date('2026-03-15T12:00:00.123Z')
const RECORDED: RecordedPrice = {
  ...{ loggedAt: AT, id: '019a0000-0000-7000-8000-000000000001', provider: 'google', model: 'a' },
  ...{ inputTokens: 1_000, outputTokens: null, cachedInputTokens: 200, cacheReadInputTokens: null },
  ...{ cacheWrite5mInputTokens: null, cacheWrite1hInputTokens: null, reasoningTokens: null },
  ...{ inputTokensIncludeCache: true, cost: '0.001000000000', reportedCost: null, computedCost: '0.001000000000' },
  ...{ costStatus: 'priced', registryProviderVersion: 'google@1', unitPrices: { [INPUT]: '1' }, repriced: null },
}
/** So many pico-dollars a token. */
const costing = (input: bigint, version = 'google@2'): FindPriceAt => {
  return async () => ({ status: 'found', prices: { unit: { input } }, registryVersion: version })
}

async function reprice(findPriceAt: FindPriceAt, ...rows: Partial<RecordedPrice>[]) {
  const page = async () => rows.map((changes) => ({ ...RECORDED, ...changes })) as never
  const query = { period: { fromMs: 0, untilMs: 1 }, after: null, rowsMax: 2 }
  return repriceEvents({ page }, findPriceAt, newProject(), query)
}
const one = async (findPriceAt: FindPriceAt, changes: Partial<RecordedPrice> = {}) => {
  const { events } = await reprice(findPriceAt, changes)
  const [event] = events
  if (event === undefined) throw new Error('no event')
  return event
}

describe('an event at another price', () => {
  it('costs that price, exactly, and keeps what it cost before', async () => {
    const { before, after, loggedAt } = await one(costing(3_000_001n))
    const first: Priced = {
      ...{ cost: '0.001000000000', computed_cost: '0.001000000000', cost_status: 'priced' },
      ...{ registry_provider_version: 'google@1', unit_prices: { [INPUT]: '1' } },
    }
    expect([before, loggedAt]).toEqual([first, '2026-03-15T12:00:00.123Z'])
    expect(after).toEqual({
      ...{ cost: '0.003000001000', computed_cost: '0.003000001000', cost_status: 'priced' },
      ...{ registry_provider_version: 'google@2', unit_prices: { [INPUT]: '3.000001' } },
    })
  })

  it('is the same if only the version differs, which changes nothing', async () => {
    const { before, after } = await one(costing(1_000_000n))
    expect(after).toBe(before)
  })

  it('that was reported keeps its cost; the computed one beside it changes', async () => {
    const reported = { cost: '7.000000000000', reportedCost: '7.000000000000', costStatus: 'reported' }
    const { after } = await one(costing(2_000_000n), reported)
    expect(after).toMatchObject({ cost: '7.000000000000', cost_status: 'reported', computed_cost: '0.002000000000' })
  })

  it('whose model is not listed costs nothing that is known', async () => {
    const unknown: FindPriceAt = async () => ({ status: 'unknown_model', registryVersion: 'google@2' })
    const { after } = await one(unknown)
    expect(after).toMatchObject({ cost: '0.000000000000', computed_cost: null, cost_status: 'unknown_model' })
  })

  it('that had no price gets one', async () => {
    const unpriced = { cost: '0.000000000000', computedCost: null, costStatus: 'no_registry', unitPrices: null }
    const { after } = await one(costing(2_000_000n), { ...unpriced, registryProviderVersion: null })
    expect(after).toMatchObject({ cost: '0.002000000000', cost_status: 'priced' })
  })

  it.each([
    ['its provider is not asked about', undefined],
    ['nothing is known yet', { status: 'no_registry' } as const],
  ])('is left as it is, and counted, if %s', async (_, found) => {
    const { events, skipped } = await reprice(async () => found, {}, {})
    expect(events.map(({ before, after }) => before === after)).toEqual([true, true])
    expect(skipped).toBe(2)
  })

  it('is asked for at its own time', async () => {
    const asked: unknown[] = []
    await one(async (...question) => {
      asked.push(question)
      return undefined
    })
    expect(asked).toEqual([['google', 'a', AT.getTime()]])
  })
})

describe('a page of events', () => {
  it('is the last one if it is not full', async () => {
    expect((await reprice(costing(1n), {}, {})).isLast).toBe(false)
    expect((await reprice(costing(1n), {})).isLast).toBe(true)
    expect((await reprice(costing(1n))).isLast).toBe(true)
  })
})
