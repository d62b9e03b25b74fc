import { describe, expect, it } from 'vitest'
import { decimalFromPico, type TokenCounts } from '../../src/core/pricing/index.js'
import { fixtureCost } from './pricing-fixtures.js'

function usd(provider: string, model: string, counts: TokenCounts, version?: number): string {
  return decimalFromPico(fixtureCost(provider, model, counts, version).pico)
}

describe('two real bills', () => {
  it('Claude Sonnet 3.7 with a cache write: 0.054399 USD', () => {
    const counts = { input_tokens: 3, cache_write_5m_input_tokens: 12_304, output_tokens: 550 }
    expect(fixtureCost('anthropic', 'claude-3-7-sonnet-latest', counts)).toEqual({
      status: 'priced',
      pico: 54_399_000_000n,
      unitPrices: {
        dollars_per_million_tokens_input: '3',
        dollars_per_million_tokens_cache_write_5m: '3.75',
        dollars_per_million_tokens_output: '15',
      },
      calculation: '3 input x 3/M + 12304 cache_write_5m x 3.75/M + 550 output x 15/M = 0.054399000000 USD',
    })
  })

  it.each<[string, TokenCounts, string]>([
    ['inside the input', { input_tokens: 2459, cached_input_tokens: 2455 }, 'cached_input (as cache_read)'],
    [
      'beside it',
      { input_tokens: 4, cached_input_tokens: 2455, input_tokens_include_cache: false },
      'cached_input (as cache_read)',
    ],
    ['as cache reads', { input_tokens: 4, cache_read_input_tokens: 2455 }, 'cache_read'],
  ])('Claude Haiku 3.5 with cached tokens counted %s: 0.0002916 USD', (_, input, kind) => {
    const cost = fixtureCost('anthropic', 'claude-3-5-haiku-20241022', { ...input, output_tokens: 23 })
    expect(decimalFromPico(cost.pico)).toBe('0.000291600000')
    expect(cost.calculation).toBe(`4 input x 0.8/M + 2455 ${kind} x 0.08/M + 23 output x 4/M = 0.000291600000 USD`)
  })
})

describe('cached tokens', () => {
  const counts = { input_tokens: 1000, cached_input_tokens: 600, output_tokens: 100 }

  it('cost the cached price where the model has one', () => {
    // 400 x 0.15 + 600 x 0.075 + 100 x 0.6 = 165 millionths
    expect(usd('openai', 'gpt-4o-mini', counts)).toBe('0.000165000000')
  })

  it('cost the input price where the model has no cached price', () => {
    // 1000 x 0.15 + 100 x 0.6 = 210 millionths
    expect(usd('openai', 'gpt-4o-mini', counts, 1)).toBe('0.000210000000')
    expect(fixtureCost('openai', 'gpt-4o-mini', counts, 1).calculation).toContain(
      '600 cached_input (as input) x 0.15/M',
    )
  })

  it('read from a cache cost the cached price of a model that names only that', () => {
    expect(usd('openai', 'gpt-4o', { cache_read_input_tokens: 8 })).toBe('0.000010000000')
  })
})

describe('cache writes', () => {
  it('of five minutes and of an hour have prices of their own', () => {
    const counts = { cache_write_5m_input_tokens: 10, cache_write_1h_input_tokens: 10 }
    // 10 x 1 + 10 x 1.6
    expect(usd('anthropic', 'claude-3-5-haiku-20241022', counts)).toBe('0.000026000000')
  })

  it.each([
    ['cache_write_5m_input_tokens', 'cache_write_5m'],
    ['cache_write_1h_input_tokens', 'cache_write_1h'],
  ])('%s without a price make the cost unknown, never too low', (field, kind) => {
    expect(fixtureCost('anthropic', 'claude-3-opus-deprecated', { input_tokens: 5, [field]: 7 })).toEqual({
      status: 'no_price',
      pico: 0n,
      unitPrices: {},
      calculation: `no price for 7 ${kind}`,
    })
  })
})

describe('reasoning tokens', () => {
  const counts = { output_tokens: 300, reasoning_tokens: 200 }

  it('cost the thinking price where the model has one', () => {
    // 100 x 0.6 + 200 x 3.5
    expect(usd('google', 'gemini-2.5-flash-thinking-preview', counts)).toBe('0.000760000000')
  })

  it('cost the output price where it has none', () => {
    expect(usd('openai', 'o1-mini', counts)).toBe('0.001320000000')
    expect(usd('openai', 'o1-mini', { output_tokens: 300 })).toBe('0.001320000000')
  })
})

describe('nothing, and nothing known', () => {
  it('a model whose prices are 0 is free', () => {
    expect(fixtureCost('google', 'gemma-3-27b-it', { input_tokens: 9, output_tokens: 9 })).toMatchObject({
      status: 'free',
      pico: 0n,
      unitPrices: { dollars_per_million_tokens_input: '0', dollars_per_million_tokens_output: '0' },
    })
  })

  it('an embedding costs its input; its output is known to cost nothing', () => {
    const cost = fixtureCost('openai', 'text-embedding-3-small', { input_tokens: 1000, output_tokens: 5 })
    expect(cost).toMatchObject({ status: 'priced', pico: 20_000_000n })
  })

  it('a model without prices has no price, whatever it counted', () => {
    expect(fixtureCost('openai', 'gpt-audio-preview', { input_tokens: 5, output_tokens: 6 })).toMatchObject({
      status: 'no_price',
      calculation: 'no price for 5 input, 6 output',
    })
    expect(fixtureCost('openai', 'gpt-audio-preview', {}).status).toBe('no_price')
  })

  it('an event without tokens costs 0 and has the status of its model', () => {
    expect(fixtureCost('openai', 'gpt-4o', {})).toEqual({
      status: 'priced',
      pico: 0n,
      unitPrices: {},
      calculation: 'no tokens = 0.000000000000 USD',
    })
    expect(fixtureCost('google', 'gemma-3-27b-it', {}).status).toBe('free')
  })
})
