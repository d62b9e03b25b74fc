import { describe, expect, it } from 'vitest'
import {
  decimalFromPico,
  numberFromPico,
  picoFromDecimal,
  picoFromDecimalText,
  picoFromJsonNumber,
} from '../../src/core/pricing/index.js'

describe('a decimal of US dollars', () => {
  it.each([
    ['0', 0n],
    ['0.0', 0n],
    ['1', 1_000_000_000_000n],
    ['0.054399', 54_399_000_000n],
    ['0.000000000001', 1n],
    ['-0.000000000001', -1n],
    ['999999999999999999.999999999999', 999_999_999_999_999_999_999_999_999_999n],
  ])('%s is read exactly', (text, pico) => {
    expect(picoFromDecimal(text)).toBe(pico)
  })

  it.each(
    [
      ['', ' 1', '1 ', '1\n', '+1', '01', '00', '.5', '1.', '1.2.3', '1,5', '1_000'],
      ['1e3', '1E-7', '0x10', 'NaN', 'Infinity', '-', '--1', '-0', '-0.000', '١', '1n'],
      ['0.0000000000001', '1000000000000000000'],
    ].flat(),
  )('%j is not read at all', (text) => {
    expect(picoFromDecimal(text)).toBeUndefined()
  })

  it.each([
    [0n, '0.000000000000'],
    [1n, '0.000000000001'],
    [-1n, '-0.000000000001'],
    [54_399_000_000n, '0.054399000000'],
    [-1_500_000_000_000n, '-1.500000000000'],
    [10n ** 30n, '1000000000000000000.000000000000'],
  ])('%s pico-USD is written with exactly twelve places', (pico, text) => {
    expect(decimalFromPico(pico)).toBe(text)
  })
})

describe('a cost that a client reports as a JSON number', () => {
  it.each([
    ['0', 0n],
    ['-0.0', 0n],
    ['0.1', 100_000_000_000n],
    ['0.30000000000000004', 300_000_000_000n],
    ['1e-7', 100_000n],
    ['1.5e-7', 150_000n],
    ['1e-12', 1n],
    ['1e-13', 0n],
    ['5e-324', 0n],
    ['1e12', 10n ** 24n],
    ['123456789012', 123_456_789_012n * 10n ** 12n],
  ])('%s becomes its shortest decimal, exactly where that has at most twelve places', (json, pico) => {
    expect(picoFromJsonNumber(JSON.parse(json))).toEqual({ ok: true, pico })
  })

  it.each([
    ['5e-13', 0n],
    ['1.5e-12', 2n],
    ['2.5e-12', 2n],
    ['2.5000001e-12', 3n],
    ['3.4999e-12', 3n],
    ['0.0000000000035', 4n],
  ])('%s is rounded half-even to twelve places', (json, pico) => {
    expect(picoFromJsonNumber(JSON.parse(json))).toEqual({ ok: true, pico })
  })

  it.each([
    [Number.NaN, 'not-a-number'],
    [Number.POSITIVE_INFINITY, 'not-a-number'],
    [Number.NEGATIVE_INFINITY, 'not-a-number'],
    [-0.01, 'negative'],
    [-5e-324, 'negative'],
    [-1e21, 'negative'],
    [1_000_000_000_000.0001, 'too-large'],
    [1e21, 'too-large'],
    [Number.MAX_VALUE, 'too-large'],
  ])('%s is refused as %s', (usd, reason) => {
    expect(picoFromJsonNumber(usd)).toEqual({ ok: false, reason })
  })
})

describe('a cost that comes as a string', () => {
  it.each([
    ['0', 0n],
    ['0.25', 250_000_000_000n],
    ['10.0', 10_000_000_000_000n],
    ['0.0000000000005', 0n],
    ['0.0000000000015', 2n],
    ['1000000000000', 10n ** 24n],
    ['1000000000000.000', 10n ** 24n],
    ['999999999999.999999999999', 10n ** 24n - 1n],
  ])('%s is exact, and rounded half-even to twelve places', (usd, pico) => {
    expect(picoFromDecimalText(usd)).toEqual({ ok: true, pico })
  })

  it.each([
    ...['', ' 1', '1 ', '-1', '+1', '01', '.5', '5.', '1e3', '1,5', '٣', 'NaN', `0.${'1'.repeat(33)}`],
    '9'.repeat(14),
  ])('%j is none', (usd) => expect(picoFromDecimalText(usd)).toEqual({ ok: false, reason: 'not-a-number' }))

  it.each(['1000000000001', '1000000000000.0000000000000000001'])('%s is too large', (usd) => {
    expect(picoFromDecimalText(usd)).toEqual({ ok: false, reason: 'too-large' })
  })
})

describe('the number that old clients read', () => {
  it.each([
    [0n, 0],
    [54_399_000_000n, 0.054399],
    [291_600_000n, 0.0002916],
    [-1n, -1e-12],
    [100_000_000_001n, 0.100000000001],
    [9_007_199_254_740_993n, 9007.199254740994],
  ])('%s pico-USD is the nearest double', (pico, usd) => {
    expect(numberFromPico(pico)).toBe(usd)
  })
})
