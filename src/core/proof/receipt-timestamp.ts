/** How far a client's clock may run ahead of ours, in milliseconds: five minutes. */
const timestampAheadMsMax = 300_000

/** Takes at most 24 digits behind the second: finer than any clock, and an end to the text. */
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,24}))?Z?$/

export type TimestampFault = 'not-an-instant' | 'not-a-date' | 'not-a-time' | 'ahead-of-clock'

export type TimestampResult =
  | { readonly ok: true; readonly timestamp: string; readonly epochMs: number }
  | { readonly ok: false; readonly reason: TimestampFault }

/**
 * Checks the instant that a client claims for its call and keeps it byte for byte: RFC 3339 with an upper-case `T` and
 * `Z`, with or without fraction, any age, at most `timestampAheadMsMax` ahead of `issuedAtMs` (milliseconds since
 * 1970). Clients in the field leave the `Z` out: such a time is UTC and gets its `Z`, since what is signed has to say
 * so. Only days that exist, and not the year 0000. A leap second (`:60`) is refused although RFC 3339 has it: neither
 * Date nor most readers of a receipt can parse one, and the last 27 of them are no calls to a language model. `epochMs`
 * is the instant cut to milliseconds.
 */
export function checkTimestamp(text: string, issuedAtMs: number): TimestampResult {
  const match = INSTANT.exec(text)
  if (match === null) return { ok: false, reason: 'not-an-instant' }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const fraction = (match[7] ?? '').padEnd(3, '0')
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) {
    return { ok: false, reason: 'not-a-date' }
  }
  if (hour > 23 || minute > 59 || second > 59) return { ok: false, reason: 'not-a-time' }
  const date = new Date(0)
  // Date.UTC reads the years 0 to 99 as 1900 to 1999; this does not.
  date.setUTCFullYear(year, month - 1, day)
  const epochMs = date.setUTCHours(hour, minute, second, Number(fraction.slice(0, 3)))
  const latest = issuedAtMs + timestampAheadMsMax
  const isAhead = epochMs > latest || (epochMs === latest && /[1-9]/.test(fraction.slice(3)))
  return isAhead
    ? { ok: false, reason: 'ahead-of-clock' }
    : { ok: true, timestamp: text.endsWith('Z') ? text : `${text}Z`, epochMs }
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}
