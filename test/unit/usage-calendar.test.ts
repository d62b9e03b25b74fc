import { describe, expect, it } from 'vitest'
import { calendarOf, dayIn, type GroupBy, isZone } from '../../src/features/usage/stats/calendar.js'

const at = (text: string) => Date.parse(text)
const between = (from: string, until: string) => ({ fromMs: at(from), untilMs: at(until) })
const parts = (from: string, until: string, groupBy: GroupBy, zone: string) => {
  const calendar = calendarOf(between(from, until), groupBy, zone, 100)
  return calendar?.labels.map((label, index) => [label, new Date(calendar.boundsMs[index] ?? 0).toISOString()])
}

it.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+12'])(
  '%s is a time zone',
  (name) => expect(isZone(name)).toBe(true),
)
it.each(['', 'Mars/Base', '+05:30', '[u-ca=x]', 'Europe/Berlin ', '__proto__', '2026-01-01T00:00Z'])(
  '%j is none',
  (name) => expect(isZone(name)).toBe(false),
)

describe('the parts of a period', () => {
  it('are days of the zone, the first and last cut by its ends', () => {
    expect(parts('2026-03-14T20:00:00Z', '2026-03-16T00:00:00Z', 'day', 'Asia/Kolkata')).toEqual([
      ['2026-03-15', '2026-03-14T20:00:00.000Z'],
      ['2026-03-16', '2026-03-15T18:30:00.000Z'],
    ])
  })

  it('are weeks from Monday and months, called by their first day', () => {
    expect(parts('2026-03-01T12:00:00Z', '2026-03-10T00:00:00Z', 'week', 'Europe/Berlin')).toEqual([
      ['2026-02-23', '2026-03-01T12:00:00.000Z'],
      ['2026-03-02', '2026-03-01T23:00:00.000Z'],
      ['2026-03-09', '2026-03-08T23:00:00.000Z'],
    ])
    expect(parts('2026-03-01T12:00:00Z', '2026-04-10T00:00:00Z', 'month', 'Europe/Berlin')).toEqual([
      ['2026-03-01', '2026-03-01T12:00:00.000Z'],
      ['2026-04-01', '2026-03-31T22:00:00.000Z'],
    ])
  })

  it('are 23 and 25 hours on the days when clocks are moved, each with its offset', () => {
    const hours = (day: string) => calendarOf(dayIn('Europe/Berlin', day, 1e15), 'hour', 'Europe/Berlin', 100)?.labels
    expect(hours('2026-03-29')).toHaveLength(23)
    expect(hours('2026-10-25')).toHaveLength(25)
    expect(hours('2026-10-25')?.slice(1, 5)).toEqual([
      ...['2026-10-25T01:00:00+02:00', '2026-10-25T02:00:00+02:00'],
      ...['2026-10-25T02:00:00+01:00', '2026-10-25T03:00:00+01:00'],
    ])
  })

  it('are shorter hours where clocks are moved by half an hour', () => {
    expect(parts('2026-04-04T14:00:00Z', '2026-04-04T16:00:00Z', 'hour', 'Australia/Lord_Howe')).toEqual([
      ['2026-04-05T01:00:00+11:00', '2026-04-04T14:00:00.000Z'],
      ['2026-04-05T01:30:00+10:30', '2026-04-04T15:00:00.000Z'],
      ['2026-04-05T02:00:00+10:30', '2026-04-04T15:30:00.000Z'],
    ])
  })

  it('leave out a day that a zone left out, and begin a day that has no midnight when its clocks say', () => {
    expect(
      parts('2011-12-29T12:00:00Z', '2011-12-31T12:00:00Z', 'day', 'Pacific/Apia')?.map(([label]) => label),
    ).toEqual([...['2011-12-29', '2011-12-31', '2012-01-01']])
    expect(parts('2026-04-23T12:00:00Z', '2026-04-24T12:00:00Z', 'day', 'Africa/Cairo')?.[1]).toEqual([
      ...['2026-04-24', '2026-04-23T22:00:00.000Z'],
    ])
  })

  it('of a total is one, of an empty period none, and too many are refused', () => {
    expect(parts('2026-03-14T20:00:00Z', '2027-03-14T20:00:00Z', 'total', 'Asia/Kolkata')).toEqual([
      ['2026-03-15', '2026-03-14T20:00:00.000Z'],
    ])
    expect(parts('2026-03-14T20:00:00Z', '2026-03-14T20:00:00Z', 'day', 'UTC')).toEqual([])
    expect(parts('2026-01-01T00:00:00Z', '2026-04-10T23:59:59Z', 'day', 'UTC')).toHaveLength(100)
    expect(parts('2026-01-01T00:00:00Z', '2026-04-11T00:00:01Z', 'day', 'UTC')).toBeUndefined()
  })
})

it('a date in a zone is its whole day, within the time that is known', () => {
  expect(dayIn('Asia/Kolkata', '2026-03-15', 1e15)).toEqual(between('2026-03-14T18:30:00Z', '2026-03-15T18:30:00Z'))
  expect(dayIn('Asia/Kolkata', '1970-01-01', 1e15).fromMs).toBe(0)
  expect(dayIn('Etc/GMT+12', '9999-12-31', 253_402_300_800_000).untilMs).toBe(253_402_300_800_000)
})
