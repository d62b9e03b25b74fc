import { describe, expect, it } from 'vitest'
import { checkTokens, type TokenCounts, tokensPerKindMax } from '../../src/core/pricing/index.js'

const NONE = {
  input: 0,
  cached_input: 0,
  cache_read: 0,
  cache_write_5m: 0,
  cache_write_1h: 0,
  output: 0,
  reasoning: 0,
}

describe('token counts', () => {
  it('cached tokens are a part of the input, reasoning tokens a part of the output', () => {
    const counts = { input_tokens: 100, cached_input_tokens: 60, output_tokens: 50, reasoning_tokens: 20 }
    expect(checkTokens(counts)).toEqual({
      ok: true,
      parts: { ...NONE, input: 40, cached_input: 60, output: 30, reasoning: 20 },
    })
  })

  it('cached tokens stand beside the input of callers who say that it does not include them', () => {
    const counts = { input_tokens: 4, cached_input_tokens: 2455, input_tokens_include_cache: false }
    expect(checkTokens(counts)).toEqual({ ok: true, parts: { ...NONE, input: 4, cached_input: 2455 } })
  })

  it('tokens read from and written to a cache always stand beside the input', () => {
    const outside = {
      cache_read_input_tokens: 7,
      cache_write_5m_input_tokens: 8,
      cache_write_1h_input_tokens: 9,
    }
    const parts = { ...NONE, input: 3, cache_read: 7, cache_write_5m: 8, cache_write_1h: 9 }
    for (const input_tokens_include_cache of [true, false, null, undefined]) {
      expect(checkTokens({ input_tokens: 3, ...outside, input_tokens_include_cache })).toEqual({ ok: true, parts })
    }
  })

  it('null and absent counts are counted as 0', () => {
    expect(checkTokens({})).toEqual({ ok: true, parts: NONE })
    expect(checkTokens({ input_tokens: null, output_tokens: null, cached_input_tokens: null })).toEqual({
      ok: true,
      parts: NONE,
    })
  })

  it('a count of 0 beside the other way to count cached tokens is no contradiction', () => {
    expect(checkTokens({ cached_input_tokens: 0, cache_read_input_tokens: 5 }).ok).toBe(true)
    expect(checkTokens({ input_tokens: 5, cached_input_tokens: 5, cache_read_input_tokens: 0 }).ok).toBe(true)
  })

  it.each<[TokenCounts, string, string]>([
    [{ input_tokens: 5, cached_input_tokens: 6 }, 'cached_input_tokens', 'over-input'],
    [{ cached_input_tokens: 1, input_tokens_include_cache: true }, 'cached_input_tokens', 'over-input'],
    [{ input_tokens: 9, cached_input_tokens: 1, cache_read_input_tokens: 1 }, 'cached_input_tokens', 'counted-twice'],
    [
      { cached_input_tokens: 1, cache_read_input_tokens: 1, input_tokens_include_cache: false },
      'cached_input_tokens',
      'counted-twice',
    ],
    [{ output_tokens: 5, reasoning_tokens: 6 }, 'reasoning_tokens', 'over-output'],
  ])('%j is refused: %s %s', (counts, field, reason) => {
    expect(checkTokens(counts)).toMatchObject({ ok: false, field, reason })
  })

  const fields = [
    'input_tokens',
    'output_tokens',
    'cached_input_tokens',
    'cache_read_input_tokens',
    'cache_write_5m_input_tokens',
    'cache_write_1h_input_tokens',
    'reasoning_tokens',
  ] as const

  it.each(fields)('%s must be a whole number within the limit', (field) => {
    for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, tokensPerKindMax + 1]) {
      expect(checkTokens({ [field]: count })).toMatchObject({ ok: false, field, reason: 'not-a-count' })
    }
    const room = { input_tokens: tokensPerKindMax, output_tokens: tokensPerKindMax }
    expect(checkTokens({ ...room, [field]: tokensPerKindMax }).ok).toBe(true)
  })
})
