import { describe, expect, it } from 'vitest'
import { toReceiptAmount } from '../../src/core/pricing/index.js'
import { checkTimestamp, isIssuedReceiptId } from '../../src/core/proof/index.js'

const now = Date.UTC(2026, 2, 1, 12, 0, 0, 0)
const outcome = (text: string) => {
  const result = checkTimestamp(text, now)
  return result.ok ? result.epochMs : result.reason
}

describe('the time that a client claims', () => {
  it.each([
    ['2026-03-01T12:00:00Z', now],
    ['2026-03-01T12:00:00.5Z', now + 500],
    ['2026-03-01T12:00:00.000Z', now],
    ['2026-03-01T12:00:00.123456789Z', now + 123],
    ['2024-02-29T23:59:59.999Z', Date.UTC(2024, 1, 29, 23, 59, 59, 999)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['1969-12-31T23:59:59Z', -1_000],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
    ['0099-12-31T00:00:00Z', -59_011_545_600_000],
  ])('%s is kept byte for byte and understood', (text, epochMs) => {
    expect(checkTimestamp(text, now)).toEqual({ ok: true, timestamp: text, epochMs })
  })

  it.each([
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '0000-01-01T00:00:00Z',
  ])('%s is no day', (text) => {
    expect(outcome(text)).toBe('not-a-date')
  })

  it.each(['2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:61Z'])('%s is no time', (text) => {
    expect(outcome(text)).toBe('not-a-time')
  })

  it('a leap second is refused, for hardly any reader of a receipt could parse it', () => {
    expect(outcome('2016-12-31T23:59:60Z')).toBe('not-a-time')
  })

  it.each(
    [
      ['', 'now', '2026-01-01', '2026-01-01T00:00Z', '2026-01-01T00:00', '2026-01-01T00:00:00+00:00'],
      ['2026-01-01 00:00:00Z', '2026-01-01t00:00:00z', '2026-01-01T00:00:00.Z', '2026-01-01T00:00:00,5Z'],
      [' 2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z\n', '26-01-01T00:00:00Z', '+2026-01-01T00:00:00Z'],
      ['2026-1-1T0:0:0Z', '２026-01-01T00:00:00Z', `2026-01-01T00:00:00.${'0'.repeat(25)}Z`],
    ].flat(),
  )('%j is no instant in UTC', (text) => {
    expect(outcome(text)).toBe('not-an-instant')
  })

  it.each(['2025-08-20T12:34:56', '2025-08-20T12:34:56.789012'])(
    '%s without a zone is UTC, and is signed so',
    (text) => {
      const epochMs = Date.parse(`${text}Z`)
      expect(checkTimestamp(text, now)).toEqual({ ok: true, timestamp: `${text}Z`, epochMs })
      expect(outcome('2026-03-01T12:05:00.001')).toBe('ahead-of-clock')
    },
  )

  it('may be five minutes ahead of our clock and not the smallest fraction more', () => {
    expect(outcome('2026-03-01T12:05:00Z')).toBe(now + 300_000)
    expect(outcome('2026-03-01T12:05:00.000000000000000000000000Z')).toBe(now + 300_000)
    expect(outcome('2026-03-01T12:05:00.000000000000000000000001Z')).toBe('ahead-of-clock')
    expect(outcome('2026-03-01T12:05:00.001Z')).toBe('ahead-of-clock')
    expect(outcome('9999-12-31T23:59:59Z')).toBe('ahead-of-clock')
  })
})

describe('the amount that a client names', () => {
  it.each<[string | number, string]>([
    [0, '0.000000000000'],
    [-0, '0.000000000000'],
    ['-0.0', '0.000000000000'],
    [0.00027, '0.000270000000'],
    ['0.00027', '0.000270000000'],
    [2.7e-7, '0.000000270000'],
    ['2.7E-7', '0.000000270000'],
    ['0.000270000000', '0.000270000000'],
    [0.1, '0.100000000000'],
    [0.30000000000000004, '0.300000000000'],
    [12, '12.000000000000'],
    ['1.2e+1', '12.000000000000'],
    [1e12, '1000000000000.000000000000'],
    ['1e12', '1000000000000.000000000000'],
    [(1_200 * 0.15 + 300 * 0.6) / 1e6, '0.000360000000'],
    [1_000_000.123_456_789, '1000000.123456789000'],
    ['0.00027000000000000000000', '0.000270000000'],
    ['2000e-15', '0.000000000002'],
    ['0e999', '0.000000000000'],
  ])('%j US dollars are written %s', (usd, amount) => {
    expect(toReceiptAmount(usd)).toEqual({ ok: true, amount })
  })

  it.each<[string | number]>([
    ['0.0000000000005'],
    ['0.9999999999996'],
    ['0.30000000000000004'],
    ['25e-13'],
    ['1e-999'],
    [5e-324],
    [1e-13],
    [0.1234567890123],
    [0.30000000000001],
  ])('%j has more than 12 places and is not rounded', (usd) => {
    expect(toReceiptAmount(usd)).toEqual({ ok: false, reason: 'too-many-places' })
  })

  it.each<[string | number, string]>([
    [-0.01, 'negative'],
    ['-1e-300', 'negative'],
    [1_000_000_000_000.001, 'too-large'],
    ['1000000000000.0000000000001', 'too-large'],
    ['1e999', 'too-large'],
    [1.7976931348623157e308, 'too-large'],
    [Number.NaN, 'not-a-decimal'],
    [Number.POSITIVE_INFINITY, 'not-a-decimal'],
    ['', 'not-a-decimal'],
    ['.5', 'not-a-decimal'],
    ['5.', 'not-a-decimal'],
    ['05', 'not-a-decimal'],
    ['+5', 'not-a-decimal'],
    [' 5', 'not-a-decimal'],
    ['5\n', 'not-a-decimal'],
    ['1,5', 'not-a-decimal'],
    ['0x1', 'not-a-decimal'],
    ['1e', 'not-a-decimal'],
    ['1e1000', 'not-a-decimal'],
    [`0.${'0'.repeat(63)}`, 'not-a-decimal'],
  ])('%j is refused as %s', (usd, reason) => {
    expect(toReceiptAmount(usd)).toEqual({ ok: false, reason })
  })
})

describe('the id of a receipt that we issue', () => {
  it.each(['a', 'rcpt_0190-ab.CD:9', '-', '.', 'x'.repeat(128)])('may be %s', (id) => {
    expect(isIssuedReceiptId(id)).toBe(true)
  })

  it.each(['', 'x'.repeat(129), 'a b', 'a/b', 'a\n', 'ä', 'a\0', '%41', 'a?'])('may not be %j', (id) => {
    expect(isIssuedReceiptId(id)).toBe(false)
  })
})
