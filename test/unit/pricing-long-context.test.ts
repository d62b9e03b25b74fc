import { describe, expect, it } from 'vitest'
import { checkTokens, costOf, decimalFromPico, readPrices } from '../../src/core/pricing/index.js'
import { fixtureCost } from './pricing-fixtures.js'

describe('a request past the long-context threshold', () => {
  it('takes ordinary prices at the threshold itself and long-context prices one token above it', () => {
    const at = fixtureCost('google', 'gemini-2.5-pro', { input_tokens: 200_000, output_tokens: 1000 })
    const above = fixtureCost('google', 'gemini-2.5-pro', { input_tokens: 200_001, output_tokens: 1000 })
    expect(decimalFromPico(at.pico)).toBe('0.260000000000')
    expect(decimalFromPico(above.pico)).toBe('0.515002500000')
    expect(above.unitPrices).toEqual({
      dollars_per_million_tokens_input_long_context: '2.5',
      dollars_per_million_tokens_output_long_context: '15',
    })
    expect(above.calculation).toBe(
      '200001 input (as input_long_context) x 2.5/M + 1000 output (as output_long_context) x 15/M = 0.515002500000 USD',
    )
  })

  it.each([
    { cached_input_tokens: 200_000, input_tokens_include_cache: false },
    { cache_read_input_tokens: 200_000 },
    { cache_write_5m_input_tokens: 200_000 },
    { cache_write_1h_input_tokens: 200_000 },
  ])('counts every kind of input towards the threshold: %j', (counts) => {
    const cost = fixtureCost('anthropic', 'claude-sonnet-4-5', { input_tokens: 1, ...counts })
    expect(cost.unitPrices['dollars_per_million_tokens_input_long_context']).toBe('6')
    const below = fixtureCost('anthropic', 'claude-sonnet-4-5', { input_tokens: 0, output_tokens: 1, ...counts })
    expect(below.unitPrices['dollars_per_million_tokens_output']).toBe('15')
  })

  it('counts cached tokens inside the input once', () => {
    const counts = { input_tokens: 150_000, cached_input_tokens: 100_000 }
    expect(fixtureCost('google', 'gemini-2.5-pro', counts).unitPrices).toEqual({
      dollars_per_million_tokens_input: '1.25',
      dollars_per_million_tokens_cached_input: '0.125',
    })
  })

  it('does not count output towards the threshold', () => {
    const cost = fixtureCost('google', 'gemini-2.5-pro', { input_tokens: 1, output_tokens: 900_000 })
    expect(cost.unitPrices['dollars_per_million_tokens_output']).toBe('10')
  })

  it('keeps the published price of kinds that have no long-context price', () => {
    const counts = { input_tokens: 50_000, cache_read_input_tokens: 200_000, cache_write_1h_input_tokens: 10 }
    expect(fixtureCost('anthropic', 'claude-sonnet-4-5', counts).unitPrices).toEqual({
      dollars_per_million_tokens_input_long_context: '6',
      dollars_per_million_tokens_cache_read: '0.3',
      dollars_per_million_tokens_cache_write_1h: '6',
    })
  })

  it('bills cached tokens at the long-context input price where the model has no cached price at all', () => {
    const prices = readPrices({
      dollars_per_million_tokens_input: 1.25,
      dollars_per_million_tokens_input_long_context: 2.5,
      long_context_threshold_tokens: 10,
    })
    const tokens = checkTokens({ input_tokens: 11, cached_input_tokens: 4 })
    expect(tokens.ok && costOf(prices, tokens.parts).pico).toBe(27_500_000n)
  })

  it('keeps ordinary prices where the registry knows a threshold and no long-context price', () => {
    const counts = { input_tokens: 1_000_000, output_tokens: 1 }
    expect(fixtureCost('anthropic', 'claude-sonnet-4-5', counts, 2).pico).toBe(3_000_015_000_000n)
    expect(fixtureCost('anthropic', 'claude-sonnet-4-5', counts, 3).pico).toBe(6_000_022_500_000n)
  })

  it('keeps ordinary prices where the registry knows a long-context price and no threshold', () => {
    const prices = readPrices({
      dollars_per_million_tokens_input: 1,
      dollars_per_million_tokens_input_long_context: 9,
    })
    const tokens = checkTokens({ input_tokens: 1_000_000 })
    expect(tokens.ok && costOf(prices, tokens.parts).pico).toBe(1_000_000_000_000n)
  })
})
