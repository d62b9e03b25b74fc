import { USAGE_LIMITS } from './limits.js'
import { dayIn } from './stats/calendar.js'

/**
 * A stretch of time in milliseconds since the Unix epoch: from `fromMs` on, before `untilMs`; empty if they are equal.
 */
export type Period = { readonly fromMs: number; readonly untilMs: number }

export type PeriodText = { readonly start?: string | undefined; readonly end?: string | undefined }

export type PeriodResult =
  | { readonly ok: true; readonly period: Period }
  | { readonly ok: false; readonly field: 'start_date' | 'end_date'; readonly message: string }

const DAY_MS = 86_400_000
const UTC = 'UTC'
const DEFAULT_DAYS = 30

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2}))?$/

const NOT_A_TIME =
  'must be a date (2026-01-31) or a date and time (2026-01-31T12:00:00Z; UTC if it has no offset) that exists, in the years 1970 to 9999'

/**
 * The moment that a text names, as the milliseconds that belong to it: all of a date's day in a time zone, or the one
 * millisecond of a date and time (RFC 3339, a space in place of the T, seconds and offset may be absent). Finer
 * fractions are cut off, as they are in what is recorded. `undefined` for everything else, 30 February too.
 */
export function parseMoment(text: string, zone = UTC): Period | undefined {
  const day = startOfDay(text)
  if (day !== undefined) {
    return zone === UTC ? { fromMs: day, untilMs: day + DAY_MS } : dayIn(zone, text, USAGE_LIMITS.timeMsMax)
  }
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [, date = '', hour, minute, second = '0', fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match
  const start = startOfDay(date)
  const time = timeOfDay(Number(hour), Number(minute), Number(second))
  const offset = timeOfDay(Number(offsetHour), Number(offsetMinute), 0)
  if (start === undefined || time === undefined || offset === undefined) return undefined
  const local = start + time + Number(fraction.slice(0, 3).padEnd(3, '0'))
  const ms = sign === '-' ? local + offset : local - offset
  return ms >= 0 && ms < USAGE_LIMITS.timeMsMax ? { fromMs: ms, untilMs: ms + 1 } : undefined
}

/**
 * The period between two moments, both included. Without an end it is open; without a start it begins 30 days before
 * the end, or before `nowMs` where there is no end either. A start behind its end gives an empty period, as clients in
 * the field know it: nothing lies between the two. Dates are days of `zone`.
 */
export function readPeriod(text: PeriodText, nowMs: number, zone = UTC): PeriodResult {
  const start = text.start === undefined ? null : parseMoment(text.start, zone)
  const end = text.end === undefined ? null : parseMoment(text.end, zone)
  if (start === undefined) return { ok: false, field: 'start_date', message: NOT_A_TIME }
  if (end === undefined) return { ok: false, field: 'end_date', message: NOT_A_TIME }
  const fromMs = start?.fromMs ?? Math.max(0, (end?.untilMs ?? nowMs) - DEFAULT_DAYS * DAY_MS)
  const untilMs = end?.untilMs ?? USAGE_LIMITS.timeMsMax
  return { ok: true, period: { fromMs, untilMs: Math.max(fromMs, untilMs) } }
}

/** The same without a default: absent bounds leave the period open. */
export function readOpenPeriod(text: PeriodText): PeriodResult {
  return readPeriod({ start: text.start ?? '1970-01-01', end: text.end }, 0)
}

function startOfDay(date: string): number | undefined {
  const match = DATE.exec(date)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  if (year < 1970 || month < 1 || month > 12 || day < 1) return undefined
  const ms = Date.UTC(year, month - 1, day)
  // Date.UTC counts on: 30 February is a day of March.
  return new Date(ms).getUTCDate() === day ? ms : undefined
}

function timeOfDay(hour: number, minute: number, second: number): number | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined
  return ((hour * 60 + minute) * 60 + second) * 1000
}
