/** A date, a time of day, or both, down to the microsecond: what is finer is cut, as Python cuts it. */
export type DateTime = {
  /** `YYYY-MM-DD`, null for a time of day. */
  readonly date: string | null
  /** `HH:MM:SS`, with six digits of a fraction unless it is zero; null for a date. */
  readonly time: string | null
  /** `±HH:MM` or `±HH:MM:SS`; `+00:00` for UTC, null if the file names none. */
  readonly offset: string | null
}

const DATE = String.raw`(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})`
const TIME = String.raw`(?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d+))?)?`
const OFFSET = String.raw`(?<offset>[Zz]|[+-]\d{2}:\d{2}(?::\d{2})?)`
const DATE_TIME = new RegExp(`^(?:${DATE}(?:[Tt ]${TIME}${OFFSET}?)?)$`)
const TIME_OF_DAY = new RegExp(`^${TIME}$`)

/**
 * Reads an ISO 8601 date with or without a time, as TOML and Python's `isoformat` write them, or a time of day. Null
 * for everything else, dates of no calendar included (the year 0, 30 February, second 60).
 */
export function parseDateTime(text: string): DateTime | null {
  const groups = (DATE_TIME.exec(text) ?? TIME_OF_DAY.exec(text))?.groups
  if (groups === undefined) return null
  const { year, month, day, hour, minute, second = '00', fraction = '', offset } = groups
  if (year !== undefined && !isDate(Number(year), Number(month), Number(day))) return null
  if (hour !== undefined && !isTime(hour, minute, second)) return null
  const utcOffset = offset === undefined ? null : toOffset(offset)
  if (utcOffset === undefined) return null
  const micros = fraction.slice(0, 6).padEnd(6, '0')
  return {
    date: year === undefined ? null : `${year}-${month}-${day}`,
    time: hour === undefined ? null : `${hour}:${minute}:${second}${micros === '000000' ? '' : `.${micros}`}`,
    offset: utcOffset,
  }
}

/** The spelling of Python's `datetime.isoformat`, that of a lockfile's own times; a date means its midnight. */
export function isoText({ date, time, offset }: DateTime): string | null {
  return date === null ? null : `${date}T${time ?? '00:00:00'}${offset ?? ''}`
}

/** How Python's models write a date or time inside of constraints and metadata: UTC is `Z`. */
export function memberText({ date, time, offset }: DateTime): string {
  const zone = offset === '+00:00' ? 'Z' : (offset ?? '')
  return [date, time === null ? null : `${time}${zone}`].filter((part) => part !== null).join('T')
}

function isDate(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  const isLeapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day <= days
}

function isTime(hour: string, minute = '00', second = '00'): boolean {
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
}

/** Undefined if there is no such offset. */
function toOffset(text: string): string | undefined {
  if (text === 'Z' || text === 'z') return '+00:00'
  const [hour = '', minute, second] = text.slice(1).split(':')
  if (!isTime(hour, minute, second)) return undefined
  const plain = second === '00' ? text.slice(0, 6) : text
  return plain === '-00:00' ? '+00:00' : plain
}
