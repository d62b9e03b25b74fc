import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkTokens,
  costOf,
  decimalFromPico,
  PRICE_FIELDS,
  type Prices,
  picoFromDecimal,
  readPrices,
  type TokenCounts,
  type TokenParts,
  usdPerMillion,
} from '../../src/core/pricing/index.js'

/** A registry price as text, up to six places, and the number that JSON makes of it. */
const price = fc.integer({ min: 0, max: 999_999_999 }).map((millionths) => Number(`${millionths}e-6`))
const allPrices = fc.record(Object.fromEntries(Object.values(PRICE_FIELDS).map((field) => [field, price])))
const somePrices = fc.record(
  Object.fromEntries(Object.values(PRICE_FIELDS).map((field) => [field, fc.option(price, { nil: null })])),
)
const count = fc.oneof(
  fc.nat({ max: 300_000 }),
  fc.maxSafeNat().map((n) => n % 1_000_000_000_001),
)
const counts: fc.Arbitrary<TokenCounts> = fc
  .record({ plain: count, cached: count, read: count, short: count, long: count, output: count, thinking: count })
  .map((n) => ({
    input_tokens: n.plain,
    ...(n.cached % 2 === 0 ? { cached_input_tokens: n.cached % (n.plain + 1) } : { cache_read_input_tokens: n.read }),
    cache_write_5m_input_tokens: n.short,
    cache_write_1h_input_tokens: n.long,
    output_tokens: n.output,
    reasoning_tokens: n.thinking % (n.output + 1),
  }))

function partsOf(tokens: TokenCounts): TokenParts {
  const result = checkTokens(tokens)
  if (!result.ok) throw new Error(`${result.field}: ${result.reason}`)
  return result.parts
}

function combined(a: TokenParts, b: TokenParts, times = 1): TokenParts {
  return {
    input: a.input * times + b.input,
    cached_input: a.cached_input * times + b.cached_input,
    cache_read: a.cache_read * times + b.cache_read,
    cache_write_5m: a.cache_write_5m * times + b.cache_write_5m,
    cache_write_1h: a.cache_write_1h * times + b.cache_write_1h,
    output: a.output * times + b.output,
    reasoning: a.reasoning * times + b.reasoning,
  }
}

/** tokens x price, recomputed from a calculation's own text as a fraction: millionths of a millionth of a dollar. */
function recomputed(calculation: string): { numerator: bigint; stated: string } {
  const [terms = '', stated = ''] = calculation.replace(/ USD$/, '').split(' = ')
  let numerator = 0n
  for (const term of terms === 'no tokens' ? [] : terms.split(' + ')) {
    const match = /^(\d+) [a-z_0-9]+(?: \(as [a-z_0-9]+\))? x (\d+)(?:\.(\d{1,6}))?\/M$/.exec(term)
    if (match === null) throw new Error(`not a term: ${term}`)
    const [, tokens = '', whole = '', fraction = ''] = match
    numerator += BigInt(tokens) * (BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0')))
  }
  return { numerator, stated }
}

/** The rules written out once more, over fractions of the JSON numbers. `undefined`: some price is unknown. */
function bill(model: Record<string, number | null>, threshold: number, t: TokenCounts): bigint | undefined {
  const millionths = (field: string): bigint | undefined => {
    const value = model[`dollars_per_million_tokens_${field}`]
    return value === null || value === undefined ? undefined : BigInt(Math.round(value * 1e6))
  }
  const cached = t.cached_input_tokens ?? 0
  const read = t.cache_read_input_tokens ?? 0
  const short = t.cache_write_5m_input_tokens ?? 0
  const long = t.cache_write_1h_input_tokens ?? 0
  const thinking = t.reasoning_tokens ?? 0
  const past = (t.input_tokens ?? 0) + read + short + long > threshold
  const input = (past ? millionths('input_long_context') : undefined) ?? millionths('input')
  const output = (past ? millionths('output_long_context') : undefined) ?? millionths('output')
  const lines: [number, bigint | undefined][] = [
    [(t.input_tokens ?? 0) - cached, input],
    [cached, millionths('cached_input') ?? millionths('cache_read') ?? input],
    [read, millionths('cache_read') ?? millionths('cached_input') ?? input],
    [short, millionths('cache_write_5m')],
    [long, millionths('cache_write_1h')],
    [(t.output_tokens ?? 0) - thinking, output],
    [thinking, millionths('output_thinking') ?? output],
  ]
  const due = lines.filter(([tokens]) => tokens > 0)
  if (due.some(([, unit]) => unit === undefined)) return undefined
  return due.reduce((sum, [tokens, unit]) => sum + BigInt(tokens) * (unit ?? 0n), 0n)
}

describe('the cost of an event', () => {
  it('is additive: two events cost what one event with the tokens of both costs', () => {
    fc.assert(
      fc.property(allPrices, counts, counts, (model, a, b) => {
        const prices = readPrices(model)
        const together = costOf(prices, combined(partsOf(a), partsOf(b)))
        expect(together.pico).toBe(costOf(prices, partsOf(a)).pico + costOf(prices, partsOf(b)).pico)
      }),
    )
  })

  it('is linear: n times the tokens cost n times as much', () => {
    const none = partsOf({})
    fc.assert(
      fc.property(allPrices, counts, fc.nat({ max: 1000 }), (model, tokens, times) => {
        const prices: Prices = readPrices(model)
        const once = costOf(prices, partsOf(tokens)).pico
        expect(costOf(prices, combined(partsOf(tokens), none, times)).pico).toBe(once * BigInt(times))
      }),
    )
  })

  it('is exactly what the rules give in fractions, below and above the threshold, and unknown where they say so', () => {
    fc.assert(
      fc.property(somePrices, fc.integer({ min: 1, max: 400_000 }), counts, (model, threshold, tokens) => {
        const cost = costOf(readPrices({ ...model, long_context_threshold_tokens: threshold }), partsOf(tokens))
        const expected = bill(model, threshold, tokens)
        if (expected === undefined) {
          expect(cost).toMatchObject({ status: 'no_price', pico: 0n, unitPrices: {} })
          return
        }
        expect(cost.pico).toBe(expected)
        if (cost.status === 'no_price') expect(partsOf(tokens)).toEqual(partsOf({}))
      }),
      { numRuns: 300 },
    )
  })

  it('is what an auditor gets from the calculation alone, and never negative', () => {
    fc.assert(
      fc.property(allPrices, counts, (model, tokens) => {
        const cost = costOf(readPrices(model), partsOf(tokens))
        const { numerator, stated } = recomputed(cost.calculation)
        expect(numerator).toBe(cost.pico)
        expect(picoFromDecimal(stated)).toBe(cost.pico)
        expect(stated).toBe(decimalFromPico(cost.pico))
        expect(cost.pico >= 0n).toBe(true)
      }),
    )
  })

  it('fits the columns that keep it at the largest counts and prices there can be', () => {
    const model = Object.fromEntries(Object.values(PRICE_FIELDS).map((field) => [field, 1_000_000]))
    const most = 1_000_000_000_000
    const cost = costOf(
      readPrices(model),
      partsOf({
        input_tokens: most,
        cache_read_input_tokens: most,
        cache_write_5m_input_tokens: most,
        cache_write_1h_input_tokens: most,
        output_tokens: most,
      }),
    )
    expect(picoFromDecimal(decimalFromPico(cost.pico))).toBe(5n * 10n ** 24n)
  })
})

describe('a price', () => {
  it('is written the way it was read, for every price with up to six places', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), (millionths) => {
        const value = Number(`${millionths}e-6`)
        const { input } = readPrices({ [PRICE_FIELDS.input]: value }).unit
        expect(input).toBe(BigInt(millionths))
        expect(Number(usdPerMillion(input ?? -1n))).toBe(value)
      }),
    )
  })
})
