import { describe, expect, it } from 'vitest'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { parseMoment, readOpenPeriod, readPeriod } from '../../src/features/usage/period.js'

const at = (text: string) => Date.parse(text)
const day = (text: string) => ({ fromMs: at(`${text}T00:00:00Z`), untilMs: at(`${text}T00:00:00Z`) + 86_400_000 })
const instant = (text: string) => ({ fromMs: at(text), untilMs: at(text) + 1 })

describe('a moment', () => {
  it.each(['1970-01-01', '2026-01-05', '2024-02-29', '2000-02-29', '2026-12-31', '9999-12-31'])(
    '%s is its whole day in UTC',
    (text) => expect(parseMoment(text)).toEqual(day(text)),
  )

  it.each([
    ['2026-01-05T10:20:30Z', '2026-01-05T10:20:30.000Z'],
    ['2026-01-05T10:20:30', '2026-01-05T10:20:30.000Z'],
    ['2026-01-05 10:20:30', '2026-01-05T10:20:30.000Z'],
    ['2026-01-05T10:20', '2026-01-05T10:20:00.000Z'],
    ['2026-01-05T10:20:30.5', '2026-01-05T10:20:30.500Z'],
    ['2026-01-05T10:20:30.123456+00:00', '2026-01-05T10:20:30.123Z'],
    ['2026-01-05T10:20:30.999999999Z', '2026-01-05T10:20:30.999Z'],
    ['2026-01-05T10:20:30-00:00', '2026-01-05T10:20:30.000Z'],
    ['2026-01-05T00:20:30+05:30', '2026-01-04T18:50:30.000Z'],
    ['2026-12-31T20:00:00-08:00', '2027-01-01T04:00:00.000Z'],
    ['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is the millisecond %s', (text, same) => expect(parseMoment(text)).toEqual(instant(same)))

  it.each([
    ...['2026-02-30', '2026-02-29', '1900-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32'],
    ...['1969-12-31', '0000-01-01', '0070-01-01', '10000-01-01', '+002026-01-01', '-2026-01-01'],
    ...['2026-1-5', '20260105', '2026-01', '2026', '', ' ', 'today', '2026-01-05 ', ' 2026-01-05', '2026-01-05\n'],
    ...[
      '2026-01-05T',
      '2026-01-05T10',
      '2026-01-05T1:20',
      '2026-01-05T24:00:00Z',
      '2026-01-05T10:60',
      '2026-01-05T10:20:60Z',
    ],
    ...['2026-01-05T10:20:30.', '2026-01-05T10:20:30.1234567890Z', '2026-01-05T10:20:30,5Z', '2026-02-30T10:20:30Z'],
    ...[
      '2026-01-05T10:20:30+24:00',
      '2026-01-05T10:20:30+05:60',
      '2026-01-05T10:20:30+0530',
      '2026-01-05T10:20:30 00:00',
    ],
    ...['2026-01-05t10:20:30Z', '2026-01-05T10:20:30z', '2026-01-05T10:20:30ZZ', '2026-01-05Z', '２０２６-01-05'],
    ...['1970-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '1767571200000', 'Infinity', '__proto__'],
  ])('%j is none', (text) => expect(parseMoment(text)).toBeUndefined())
})

describe('a period', () => {
  const now = at('2026-03-15T12:00:00.000Z')
  const period = (start?: string, end?: string) => {
    const result = readPeriod({ start, end }, now)
    return result.ok ? result.period : result.field
  }

  it('from a date to the same date is that whole day', () => {
    expect(period('2026-01-05', '2026-01-05')).toEqual(day('2026-01-05'))
  })

  it('includes both of its ends', () => {
    expect(period('2026-01-05T10:00:00Z', '2026-01-05T11:00:00Z')).toEqual({
      fromMs: at('2026-01-05T10:00:00Z'),
      untilMs: at('2026-01-05T11:00:00Z') + 1,
    })
    expect(period('2026-01-05T10:00:00Z', '2026-01-05T10:00:00Z')).toEqual(instant('2026-01-05T10:00:00Z'))
    expect(period('2026-01-05T10:00:00Z', '2026-01-05')).toEqual({
      fromMs: at('2026-01-05T10:00:00Z'),
      untilMs: at('2026-01-06T00:00:00Z'),
    })
  })

  it('without any end is the last 30 days, open to what comes', () => {
    expect(period()).toEqual({ fromMs: at('2026-02-13T12:00:00.000Z'), untilMs: USAGE_LIMITS.timeMsMax })
  })

  it('without a start is the 30 days up to its end, that day included', () => {
    expect(period(undefined, '2026-01-30')).toEqual({
      fromMs: at('2026-01-01T00:00:00Z'),
      untilMs: at('2026-01-31T00:00:00Z'),
    })
    expect(period(undefined, '1970-01-02')).toEqual({ fromMs: 0, untilMs: 2 * 86_400_000 })
  })

  it('without an end is open', () => {
    expect(period('2030-01-01')).toEqual({ fromMs: at('2030-01-01T00:00:00Z'), untilMs: USAGE_LIMITS.timeMsMax })
  })

  it('may be as long as time', () => {
    expect(period('1970-01-01', '9999-12-31')).toEqual({ fromMs: 0, untilMs: USAGE_LIMITS.timeMsMax })
  })

  it('whose start is after its end is empty', () => {
    const empty = (text: string) => ({ fromMs: at(text), untilMs: at(text) })
    expect(period('2026-01-06', '2026-01-05')).toEqual(empty('2026-01-06T00:00:00Z'))
    expect(period('2026-01-05T10:00:00.001Z', '2026-01-05T10:00:00Z')).toEqual(empty('2026-01-05T10:00:00.001Z'))
    expect(period('9999-12-31', '1970-01-01')).toEqual(empty('9999-12-31T00:00:00Z'))
  })

  it('with an end that does not exist is refused, and blames the right one', () => {
    expect(period('2026-02-30', '2026-03-01')).toBe('start_date')
    expect(period('2026-02-01', '2026-02-30')).toBe('end_date')
  })

  it('of a list is open where it has no bounds', () => {
    expect(readOpenPeriod({})).toEqual({ ok: true, period: { fromMs: 0, untilMs: USAGE_LIMITS.timeMsMax } })
    expect(readOpenPeriod({ end: '2026-01-05' })).toEqual({
      ok: true,
      period: { fromMs: 0, untilMs: at('2026-01-06T00:00:00Z') },
    })
    expect(readOpenPeriod({ end: 'never' })).toMatchObject({ ok: false, field: 'end_date' })
  })
})
