import { HTTP_LIMITS } from '../limits.js'
/** What one JSON text may hold. A name is an object's member; a value is whatever has a place in a container. */
export interface SurveyLimits {
  readonly nestingLevelsMax: number
  readonly valuesMax: number
  readonly namesMax: number
}

type SurveyRefusal = 'too-deep' | 'too-many-values' | 'too-many-names'

export type SurveyResult =
  | {
      readonly ok: true
      readonly values: number
      readonly names: number
      /** There is an escape or a number that may mean what no store can keep: NUL, half a surrogate pair, infinity. */
      readonly suspect: boolean
    }
  | { readonly ok: false; readonly reason: SurveyRefusal }

const LINE_FEED = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const LOWER_U = 0x75
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** This bit is the difference between a capital letter and a small one. */
const SMALL = 0x20
const LOWER_D = 0x64
const LOWER_E = 0x65

interface Cursor {
  readonly bytes: Uint8Array
  at: number
  suspect: boolean
}

/**
 * Counts what a JSON text in UTF-8 holds, without parsing it: a text that a parser would need seconds for is refused
 * after milliseconds. The counts are upper bounds: each comma and each opening bracket is a value, each colon a name; a
 * number of very many digits is several values.
 * The grammar is not checked: a text that is not JSON gives any result, and the parser has to refuse it. Linear,
 * iterative.
 */
export function surveyJson(bytes: Uint8Array, limits: SurveyLimits): SurveyResult {
  const { nestingLevelsMax, valuesMax, namesMax } = limits
  const cursor: Cursor = { bytes, at: 0, suspect: false }
  let depth = 0
  let values = 0
  let names = 0
  for (; cursor.at < bytes.length; cursor.at += 1) {
    const byte = bytes[cursor.at] as number
    switch (byte) {
      case QUOTE:
        skipString(cursor)
        break
      case COMMA:
        values += 1
        break
      case COLON:
        names += 1
        break
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        values += 1
        depth += 1
        if (depth > nestingLevelsMax) return { ok: false, reason: 'too-deep' }
        break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        depth -= 1
        break
      default:
        if (byte >= MINUS && byte <= DIGIT_9) values += skipNumber(cursor)
    }
    if (values > valuesMax) return { ok: false, reason: 'too-many-values' }
    if (names > namesMax) return { ok: false, reason: 'too-many-names' }
  }
  return { ok: true, values, names, suspect: cursor.suspect }
}

export type ItemsResult =
  /** Item n stands between the nth of these commas and brackets and the next one. */
  | { readonly ok: true; readonly borders: readonly number[] }
  | { readonly ok: false; readonly reason: 'no-array' | 'too-many-items' | 'syntax' }

/**
 * Where the items of a text that is a JSON array stand, so that each can be parsed on its own: if all of them parse,
 * the whole is well-formed. `no-array` is said of a text that begins as something else.
 */
export function findItems(bytes: Uint8Array, itemsMax: number): ItemsResult {
  const start = skipSpace(bytes, 0)
  if (bytes[start] !== OPEN_ARRAY) return { ok: false, reason: 'no-array' }
  const cursor: Cursor = { bytes, at: start + 1, suspect: false }
  const borders = [start]
  for (let depth = 1; cursor.at < bytes.length; cursor.at += 1) {
    const byte = bytes[cursor.at] as number
    if (byte === QUOTE) skipString(cursor)
    else if (byte === COMMA && depth === 1) borders.push(cursor.at)
    else depth += stepOf(byte)
    if (depth === 0) break
    if (borders.length > itemsMax) return { ok: false, reason: 'too-many-items' }
  }
  if (bytes[cursor.at] !== CLOSE_ARRAY || skipSpace(bytes, cursor.at + 1) !== bytes.length) {
    return { ok: false, reason: 'syntax' }
  }
  const isEmpty = borders.length === 1 && skipSpace(bytes, start + 1) === cursor.at
  return { ok: true, borders: isEmpty ? borders : [...borders, cursor.at] }
}

/**
 * Where the lines of a text are: line `index` lies between `borders[index]` and `borders[index + 1]`, without either.
 */
export function findLines(bytes: Uint8Array, itemsMax: number): ItemsResult {
  const borders = [-1]
  for (let at = 0; at < bytes.length; ) {
    if (borders.length > itemsMax) return { ok: false, reason: 'too-many-items' }
    const feed = bytes.indexOf(LINE_FEED, at)
    borders.push(feed === -1 ? bytes.length : feed)
    at = feed === -1 ? bytes.length : feed + 1
  }
  return { ok: true, borders }
}

/** How a character changes the depth. */
function stepOf(byte: number): number {
  if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return 1
  return byte === CLOSE_OBJECT || byte === CLOSE_ARRAY ? -1 : 0
}

/** Whitespace as RFC 8259 has it, section 2. */
function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1
  return at
}

/** Moves to the closing quote, or to the end of the text. */
function skipString(cursor: Cursor): void {
  const { bytes } = cursor
  let at = cursor.at + 1
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === QUOTE) break
    if (byte !== BACKSLASH) continue
    at += 1
    if (bytes[at] === LOWER_U && !cursor.suspect) cursor.suspect = mayBeUnkeepable(bytes, at + 1)
  }
  cursor.at = at
}

/** Four hexadecimal digits that are NUL or half a surrogate pair: `0000`, `d800` to `dfff`. */
function mayBeUnkeepable(bytes: Uint8Array, at: number): boolean {
  const [first = 0, second = 0] = [bytes[at], bytes[at + 1]]
  if (first === DIGIT_0) return second === DIGIT_0 && bytes[at + 2] === DIGIT_0 && bytes[at + 3] === DIGIT_0
  return (first | SMALL) === LOWER_D && second > 0x37
}

/** Moves to the number's last character, and says for how many values more than one it counts. */
function skipNumber(cursor: Cursor): number {
  const { bytes } = cursor
  let at = cursor.at + 1
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] as number
    if ((byte | SMALL) === LOWER_E) cursor.suspect = true
    // Digits, + - . and, in between, a slash and a comma: the comma ends the number.
    else if (byte < 0x2b || byte > DIGIT_9 || byte === COMMA) break
  }
  const length = at - cursor.at
  if (length >= HTTP_LIMITS.jsonFiniteDigitsMax) cursor.suspect = true
  cursor.at = at - 1
  return Math.floor(length / HTTP_LIMITS.jsonValueCharacters)
}
