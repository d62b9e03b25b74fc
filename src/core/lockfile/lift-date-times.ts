/** A date or time without quotes, and nothing that goes on after it. */
const DATE_TIME =
  /(?:\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})?)?|\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?![\w.:+-])/y
/** What makes a bare key of a word: in an inline table `2025-09-28 = 1` names a member. */
const KEY_GOES_ON = /[ \t]*[=.]/y
const WORD = /[\w:+-]+/y
const COMMENT = /#[^\n]*/y
const SPACE = /[ \t\r]+/y
const BLANK = /[ \t\r\n]+/y
const FRACTION = /\.\d+/y

/**
 * What reading takes for each, in thirds of a microsecond, as measured: beyond some dozens of names each further one of a
 * table takes twice as long.
 */
const COSTS: Readonly<Record<string, number>> = { '[': 5, '{': 3, ',': 2, '.': 6 }
const DATE_COST = 5
const NAME_COST = 4
const FURTHER_NAME_COST = 8
const NAMES_MIN = 32
/** A table of its own, one more of a list, and each table or list that a header names for the first time. */
const TABLE_COST = 11
const LISTED_TABLE_COST = 10
const OUTER_TABLE_COST = 6

type Lift = {
  readonly text: string
  at: number
  /** After the `=` of a line: only there words are values. */
  inValue: boolean
  /** Arrays and inline tables that are open. */
  depth: number
  costLeft: number
  /** Names since the last header. */
  names: number
  /** The headers that were there before. */
  readonly headers: Set<string>
}

/**
 * Puts another date in the place of every unquoted date and time of a TOML document: the nth becomes n milliseconds
 * after 1970. A TOML parser that makes `Date` objects of them drops what is finer than a millisecond; by its number each
 * is found again as it was written. Linear. Null if tables, names, values and dates cost more than `costMax`: what a
 * parser would do for megabytes of them takes seconds. What is no TOML comes back as something else that is none.
 */
export function liftDateTimes(
  text: string,
  costMax: number,
): { readonly text: string; readonly written: readonly string[] } | null {
  const lift: Lift = { text, at: 0, inValue: false, depth: 0, costLeft: costMax, names: 0, headers: new Set() }
  const written: string[] = []
  let lifted = ''
  let copied = 0
  while (lift.at < text.length) {
    const start = lift.at
    const word = step(lift, text.charAt(start))
    if (lift.costLeft < 0) return null
    if (word === null) continue
    lifted += `${text.slice(copied, start)}${new Date(written.length).toISOString()}`
    copied = lift.at
    written.push(word)
  }
  return { text: lifted + text.slice(copied), written }
}

/** Moves on by one lexeme; gives it if it is a date or a time. */
function step(lift: Lift, first: string): string | null {
  if (first === '"' || first === "'") lift.at = endOfString(lift.text, lift.at, first)
  else if (first === '[' && !lift.inValue) passHeader(lift)
  else if (!skips(lift, lift.inValue && lift.depth === 0 ? SPACE : BLANK) && !skips(lift, COMMENT)) {
    if (lift.inValue && first >= '0' && first <= '9') return readNumber(lift)
    if (!skips(lift, WORD)) {
      lift.at += 1
      track(lift, first)
    }
  }
  return null
}

/** Moves to the end of a header's line. Of the tables that it names, those of a header that was there before exist. */
function passHeader(lift: Lift): void {
  const end = lift.text.indexOf('\n', lift.at)
  const header = lift.text.slice(lift.at, end === -1 ? lift.text.length : end)
  lift.at += header.length
  lift.names = 0
  const isListed = header.startsWith('[[')
  lift.costLeft -= isListed ? LISTED_TABLE_COST : TABLE_COST
  if (lift.headers.has(header)) return
  lift.headers.add(header)
  lift.costLeft -= OUTER_TABLE_COST * (header.split('.').length - (isListed ? 0 : 1))
}

function track(lift: Lift, mark: string): void {
  lift.costLeft -= COSTS[mark] ?? 0
  if (mark === '=') {
    lift.inValue = true
    lift.names += 1
    lift.costLeft -= lift.names > NAMES_MIN ? FURTHER_NAME_COST : NAME_COST
  } else if (mark === '\n' && lift.depth === 0) lift.inValue = false
  else if (lift.inValue && (mark === '[' || mark === '{')) lift.depth += 1
  else if (lift.depth > 0 && (mark === ']' || mark === '}')) lift.depth -= 1
}

function readNumber(lift: Lift): string | null {
  const date = match(DATE_TIME, lift.text, lift.at)
  if (date === '' || match(KEY_GOES_ON, lift.text, lift.at + date.length) !== '') {
    skips(lift, WORD)
    skips(lift, FRACTION)
    return null
  }
  lift.at += date.length
  lift.costLeft -= DATE_COST
  return date
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

function skips(lift: Lift, pattern: RegExp): boolean {
  pattern.lastIndex = lift.at
  if (!pattern.test(lift.text)) return false
  lift.at = pattern.lastIndex
  return true
}

/** Behind the quotes that end the string at `start`, or at the end of the text. */
function endOfString(text: string, start: number, quote: string): number {
  const isLong = text.startsWith(quote.repeat(3), start)
  const quotes = isLong ? quote.repeat(3) : quote
  let end = text.indexOf(quotes, start + quotes.length)
  while (end !== -1 && quote === '"' && isEscaped(text, start + quotes.length, end)) end = text.indexOf(quotes, end + 1)
  if (end === -1) return text.length
  end += quotes.length
  // A long string may end with five quotes: the first two are its own.
  while (isLong && text[end] === quote) end += 1
  return end
}

function isEscaped(text: string, from: number, at: number): boolean {
  let backslashes = 0
  while (at - backslashes > from && text[at - backslashes - 1] === '\\') backslashes += 1
  return backslashes % 2 === 1
}
