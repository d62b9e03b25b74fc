import { describe, expect, it } from 'vitest'
import { PRICE_FIELDS, readPrices, usdPerMillion } from '../../src/core/pricing/index.js'

const INPUT = PRICE_FIELDS.input

describe('the prices of a model entry', () => {
  it('every price field is read, in pico-USD per token', () => {
    const fields = Object.values(PRICE_FIELDS)
    const model = Object.fromEntries(fields.map((field, i) => [field, i + 0.5]))
    const { unit } = readPrices({ ...model, long_context_threshold_tokens: 200_000 })
    expect(fields).toHaveLength(10)
    expect(Object.values(unit)).toEqual(fields.map((_, i) => BigInt(i) * 1_000_000n + 500_000n))
  })

  it('the threshold is read beside them', () => {
    expect(readPrices({ long_context_threshold_tokens: 200_000 })).toEqual({
      unit: {},
      longContextThresholdTokens: 200_000,
    })
  })

  it.each([
    ['0.8', 800_000n],
    ['0.075', 75_000n],
    ['600.0', 600_000_000n],
    ['0.000001', 1n],
    ['1e-6', 1n],
    ['123456.789012', 123_456_789_012n],
    ['1000000', 1_000_000_000_000n],
  ])('%s USD per million tokens is exact', (json, price) => {
    expect(readPrices({ [INPUT]: JSON.parse(json) }).unit.input).toBe(price)
  })

  it('a price of 0.0 costs nothing, which is not the same as an absent price', () => {
    expect(readPrices({ [INPUT]: 0.0 }).unit).toEqual({ input: 0n })
    expect(readPrices({}).unit).toEqual({})
  })

  it.each([null, undefined, '0.8', true, [0.8], { usd: 0.8 }])('a price of %j counts as absent', (price) => {
    expect(readPrices({ [INPUT]: price }).unit).toEqual({})
  })

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY, 1e-7, 0.1234567, 0.30000000000000004, 1_000_001, 1e21])(
    'the number %s is no price and counts as absent',
    (price) => {
      expect(readPrices({ [INPUT]: price, [PRICE_FIELDS.output]: 2 }).unit).toEqual({ output: 2_000_000n })
    },
  )

  it.each([null, undefined, 0, -1, 1.5, '200000', Number.NaN, 1e13])(
    'a threshold of %j counts as absent',
    (threshold) => {
      expect(readPrices({ long_context_threshold_tokens: threshold })).toEqual({ unit: {} })
    },
  )

  it.each([null, undefined, 1, 'model', true, []])('an entry that is %j has no prices', (entry) => {
    expect(readPrices(entry)).toEqual({ unit: {} })
  })

  it.each([
    [800_000n, '0.8'],
    [0n, '0'],
    [1n, '0.000001'],
    [10_000_000n, '10'],
    [3_750_000n, '3.75'],
    [100_000_000n, '100'],
  ])('%s pico-USD per token is written as the registry writes it: %s', (price, text) => {
    expect(usdPerMillion(price)).toBe(text)
  })
})
