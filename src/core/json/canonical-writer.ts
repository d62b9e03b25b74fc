import { hasLoneSurrogate } from './well-formed.js'

/** Arrays and objects that may be open at once, the outermost counted. */
const nestingLevelsMax = 32

export type PlainJsonFault =
  | 'not-json'
  | 'not-plain'
  | 'lone-surrogate'
  | 'non-finite-number'
  | 'unsafe-integer'
  | 'too-deep'
  | 'too-large'

/** What one walk has spent, where it is, and why it stopped. */
export interface CanonicalWalk {
  /** Lower bound of the canonical bytes that are left; it ends the walk over a value that shares or repeats itself. */
  bytesLeft: number
  /** Names and indices from the top to the value at hand; left as it is where the walk stops. */
  readonly path: (string | number)[]
  reason: PlainJsonFault | null
}

/**
 * The RFC 8785 text of a plain JSON value. Checked and written in one walk: every member is read once, so nothing can
 * change, and no `toJSON` be called, between the check and the text; on a receipt that takes a quarter of the time of a
 * checked copy that a general serialiser then writes. Undefined if the value is no plain JSON (undefined, functions,
 * symbols, bigints, class instances, holes in arrays), holds half a surrogate pair, NaN, an infinity or an integer
 * beyond 2^53-1, or passes a limit; then `walk` says why and where. Members that JSON cannot see (symbols, not
 * enumerable ones) are left out, as `JSON.stringify` leaves them out.
 */
export function writeCanonical(walk: CanonicalWalk, value: unknown): string | undefined {
  if (typeof value === 'string') return writeString(walk, value)
  if (typeof value === 'number') return writeNumber(walk, value)
  if (value === null || typeof value === 'boolean') return spend(walk, 4) ? String(value) : undefined
  if (typeof value !== 'object') return stop(walk, 'not-json')
  if (walk.path.length >= nestingLevelsMax) return stop(walk, 'too-deep')
  if (Array.isArray(value)) return writeArray(walk, value)
  const runs = writeRuns(walk, value, [])
  return runs === undefined ? undefined : `{${runs[0]}}`
}

/** RFC 8785 section 3.2.2.2 escapes what ECMA-262 QuoteJSONString escapes, less the halves of surrogate pairs. */
function writeString(walk: CanonicalWalk, value: string): string | undefined {
  if (!spend(walk, value.length + 2)) return undefined
  if (NOTHING_TO_ESCAPE.test(value)) return `"${value}"`
  return hasLoneSurrogate(value) ? stop(walk, 'lone-surrogate') : JSON.stringify(value)
}

/** Printable ASCII but quotes and backslashes: most strings, at half the price. */
const NOTHING_TO_ESCAPE = /^[ !#-[\]-~]*$/

/** RFC 8785 section 3.2.2.3 is ECMA-262 Number::toString, which writes negative zero as `0`. */
function writeNumber(walk: CanonicalWalk, value: number): string | undefined {
  if (!Number.isFinite(value)) return stop(walk, 'non-finite-number')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return stop(walk, 'unsafe-integer')
  return spend(walk, 1) ? String(value) : undefined
}

function writeArray(walk: CanonicalWalk, value: readonly unknown[]): string | undefined {
  // Whoever gives an array another prototype, or a `toJSON`, means something else by it than its items.
  if (Object.getPrototypeOf(value) !== Array.prototype || 'toJSON' in value) return stop(walk, 'not-plain')
  const { length } = value
  // Spent before the first item is read: a hole costs nothing to make, and `new Array(4e9)` is nothing but holes.
  if (!spend(walk, length + 1)) return undefined
  let text = '['
  for (let index = 0; index < length; index += 1) {
    walk.path.push(index)
    const item = writeCanonical(walk, value[index])
    if (item === undefined) return undefined
    walk.path.pop()
    text += index === 0 ? item : `,${item}`
  }
  return `${text}]`
}

/**
 * An object's members, sorted by UTF-16 code units (RFC 8785 section 3.2.3), without the braces, as the runs between
 * `names`, which are sorted too: one run more than names. Members of those names are left out.
 */
export function writeRuns(walk: CanonicalWalk, value: object, names: readonly string[]): string[] | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return stop(walk, 'not-plain')
  if (!spend(walk, 2)) return undefined
  const members = value as Readonly<Record<string, unknown>>
  const runs: string[] = []
  let text = ''
  for (const name of sorted(Object.keys(members))) {
    while (runs.length < names.length && name >= (names[runs.length] as string)) {
      runs.push(text)
      text = ''
    }
    if (names.includes(name)) continue
    const quoted = writeString(walk, name)
    if (quoted === undefined) return undefined
    walk.path.push(name)
    const member = writeCanonical(walk, members[name])
    if (member === undefined) return undefined
    walk.path.pop()
    text += text === '' ? `${quoted}:${member}` : `,${quoted}:${member}`
  }
  runs.push(text)
  while (runs.length <= names.length) runs.push('')
  return runs
}

/** Most objects have their few members in order, or nearly so; a general sort takes its memory for each of them. */
function sorted(names: string[]): string[] {
  for (let at = 1; at < names.length; at += 1) {
    if ((names[at - 1] as string) > (names[at] as string)) return names.sort()
  }
  return names
}

function spend(walk: CanonicalWalk, bytes: number): boolean {
  walk.bytesLeft -= bytes
  if (walk.bytesLeft < 0) walk.reason = 'too-large'
  return walk.bytesLeft >= 0
}

function stop(walk: CanonicalWalk, reason: PlainJsonFault): undefined {
  walk.reason = reason
  return undefined
}
