import { describe, expect, it } from 'vitest'
import { REPRICE_LIMITS } from '../../src/features/repricing/limits.js'
import { addDifferences, type Difference, NOTHING_FOUND } from '../../src/features/repricing/tally.js'

const price = (cost: string) => ({ cost })
const unchanged = (model: string, cost: string): Difference => {
  const same = price(cost)
  return { model, before: same, after: same, certified: false }
}
const changed = (model: string, before: string, after: string, certified = false): Difference => ({
  ...{ model, before: price(before), after: price(after), certified },
})

describe('the sums of a repricing', () => {
  it('are exact, by model and in all, over as many chunks as there are', () => {
    const chunks = [
      [changed('a', '0.000000000001', '1000000000000.000000000002'), unchanged('b', '2.500000000000')],
      [changed('a', '0.100000000000', '0.200000000000'), changed('b', '0.300000000000', '0.000000000000')],
    ]
    const found = chunks.reduce((sum, chunk) => addDifferences(sum, chunk, 1), NOTHING_FOUND)
    expect(found).toEqual({
      ...{ events: 4, changed: 3, skipped: 2, certified: NOTHING_FOUND.certified },
      ...{ cost_before: '2.900000000001', cost_after: '1000000000002.700000000002' },
      by_model: {
        a: { events: 2, changed: 2, cost_before: '0.100000000001', cost_after: '1000000000000.200000000002' },
        b: { events: 2, changed: 1, cost_before: '2.800000000000', cost_after: '2.500000000000' },
      },
    })
  })

  it('leave a certified cost as it is, and say what it would be', () => {
    const found = addDifferences(NOTHING_FOUND, [changed('a', '1.000000000000', '3.000000000000', true)], 0)
    expect(found).toMatchObject({ changed: 0, cost_before: '1.000000000000', cost_after: '1.000000000000' })
    expect(found.certified).toEqual({ events: 1, cost: '1.000000000000', repriced_cost: '3.000000000000' })
  })

  it('tell so many models apart, and no more', () => {
    const models = Array.from({ length: REPRICE_LIMITS.modelsMax + 5 }, (_, at) =>
      unchanged(`m${at}`, '1.000000000000'),
    )
    const { by_model } = addDifferences(NOTHING_FOUND, [...models, ...models], 0)
    expect(Object.keys(by_model)).toHaveLength(REPRICE_LIMITS.modelsMax + 1)
    expect(by_model['(other)']).toMatchObject({ events: 10 })
    expect(by_model['m0']).toMatchObject({ events: 2 })
  })

  it('take a model of any name', () => {
    const found = addDifferences(NOTHING_FOUND, [unchanged('__proto__', '1.000000000000')], 0)
    expect(Object.keys(JSON.parse(JSON.stringify(found)).by_model)).toEqual(['__proto__'])
  })
})
