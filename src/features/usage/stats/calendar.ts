import { Temporal } from 'temporal-polyfill'
import type { Period } from '../period.js'

export const GROUPINGS = ['hour', 'day', 'week', 'month', 'total'] as const
export type GroupBy = (typeof GROUPINGS)[number]

/** The parts of a period: part `n` is from `boundsMs[n]` on, before `boundsMs[n + 1]`. An empty period has none. */
export type Calendar = { readonly boundsMs: readonly number[]; readonly labels: readonly string[] }
type Part = { readonly startMs: number; readonly label: string }

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** Whether a text names a time zone of the IANA database. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId !== ''
  } catch {
    return false
  }
}

/** A date's whole day in a zone, cut to the times before `timeMsMax`. A day that the zone left out is empty. */
export function dayIn(zone: string, date: string, timeMsMax: number): Period {
  const day = Temporal.PlainDate.from(date)
  const within = (ms: number) => Math.min(Math.max(0, ms), timeMsMax)
  return { fromMs: within(startOf(day, zone)), untilMs: within(startOf(day.add({ days: 1 }), zone)) }
}

/**
 * The hours, days, weeks (from Monday) or months of a zone in a period, whole or cut by its ends; `undefined` if they
 * are more than `partsMax`. A label is the part's first day, or of hours their beginning with its offset.
 */
export function calendarOf(
  { fromMs, untilMs }: Period,
  groupBy: GroupBy,
  zone: string,
  partsMax: number,
): Calendar | undefined {
  if (fromMs >= untilMs) return { boundsMs: [], labels: [] }
  const boundsMs: number[] = []
  const labels: string[] = []
  for (const { startMs, label } of partsFrom(fromMs, groupBy, zone)) {
    if (startMs >= untilMs) break
    if (labels.length === partsMax) return undefined
    boundsMs.push(Math.max(startMs, fromMs))
    labels.push(label)
  }
  return { boundsMs: [...boundsMs, untilMs], labels }
}

/** The whole day, week or month of a zone that a moment is in. */
export function partAt(ms: number, groupBy: 'day' | 'week' | 'month', zone: string): Period {
  let fromMs = ms
  for (const { startMs } of datesFrom(zoned(ms, zone).toPlainDate(), groupBy, zone)) {
    if (startMs > ms) return { fromMs, untilMs: startMs }
    fromMs = startMs
  }
  return { fromMs, untilMs: ms }
}

function partsFrom(fromMs: number, groupBy: GroupBy, zone: string): Iterable<Part> {
  if (groupBy === 'hour') return hoursFrom(fromMs, zone)
  const date = zoned(fromMs, zone).toPlainDate()
  if (groupBy === 'total') return [{ startMs: fromMs, label: date.toString() }]
  return datesFrom(date, groupBy, zone)
}

function* datesFrom(date: Temporal.PlainDate, groupBy: 'day' | 'week' | 'month', zone: string): Iterable<Part> {
  const before = groupBy === 'week' ? date.dayOfWeek - 1 : groupBy === 'month' ? date.day - 1 : 0
  const step = { day: { days: 1 }, week: { days: 7 }, month: { months: 1 } }[groupBy]
  let first = date.subtract({ days: before })
  for (;;) {
    const next = first.add(step)
    const startMs = startOf(first, zone)
    // A zone that crosses the date line leaves a day out.
    if (startOf(next, zone) > startMs) yield { startMs, label: first.toString() }
    first = next
  }
}

/** The hours that a clock on the wall shows. One in which the clock is moved ends there, and so may be shorter. */
function* hoursFrom(fromMs: number, zone: string): Iterable<Part> {
  let at = zoned(fromMs, zone)
  let offsetMs = at.offsetNanoseconds / 1e6
  let startMs = fromMs - ((((fromMs + offsetMs) % HOUR_MS) + HOUR_MS) % HOUR_MS)
  const moved = at.getTimeZoneTransition('previous')?.epochMilliseconds ?? startMs
  startMs = Math.max(startMs, moved)
  let movesMs = nextMove(at)
  for (;;) {
    yield { startMs, label: hourLabel(startMs, offsetMs) }
    const next = startMs + HOUR_MS - ((startMs + offsetMs) % HOUR_MS)
    startMs = Math.min(next, movesMs)
    if (startMs < movesMs) continue
    at = zoned(startMs, zone)
    offsetMs = at.offsetNanoseconds / 1e6
    movesMs = nextMove(at)
  }
}

const nextMove = (at: Temporal.ZonedDateTime): number =>
  at.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY

/** `2026-10-25T02:00:00+01:00`; in UTC with a Z. */
function hourLabel(startMs: number, offsetMs: number): string {
  const local = new Date(startMs + offsetMs).toISOString().slice(0, 19)
  const minutes = Math.abs(Math.trunc(offsetMs / MINUTE_MS))
  const two = (value: number) => String(value).padStart(2, '0')
  const offset = `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
  return `${local}${offsetMs === 0 ? 'Z' : offset}`
}

const zoned = (ms: number, zone: string) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone)
const startOf = (day: Temporal.PlainDate, zone: string) => day.toZonedDateTime(zone).epochMilliseconds
