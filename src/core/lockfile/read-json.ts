import { integerDigitsMax, LOCKFILE_LIMITS, type LockfileLimits } from './limits.js'
import type { LockValue } from './lock-value.js'
import { type Notes, newNotes, type Path, problem, quoted } from './notes.js'

type Reader = {
  readonly text: string
  readonly limits: LockfileLimits
  readonly notes: Notes
  /** Where it is in the document; its length is the nesting. */
  readonly path: (string | number)[]
  at: number
  valueCount: number
}

/** Thrown inside of this file: the text cannot be read any further. */
class Unreadable extends Error {}

/**
 * Reads a JSON text as Python's `json.load` does: integers exact, floats apart from them, NaN and infinities, NUL and
 * halves of surrogate pairs in strings. It refuses names that occur twice, of which Python takes the last, and halves of
 * pairs in names, at which Python's models fail. Linear; nesting is limited. Undefined if the text cannot be read; then
 * the last of the problems says why and where.
 */
export function readJson(text: string, limits: LockfileLimits, notes: Notes): LockValue | undefined {
  const reader: Reader = { text, limits, notes, path: [], at: 0, valueCount: 0 }
  try {
    const value = readValue(reader)
    skipSpace(reader)
    return reader.at < text.length ? stop(reader, 'the document goes on after its end') : value
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

/** The value of a text in the spelling of `canonicalText`; null for a text that cannot be read. */
export const readCanonical = (text: string): LockValue => readJson(text, LOCKFILE_LIMITS, newNotes()) ?? null

function readValue(reader: Reader): LockValue {
  reader.valueCount += 1
  if (reader.valueCount > reader.limits.parseCostMax) stop(reader, 'there are too many values')
  skipSpace(reader)
  const first = reader.text[reader.at]
  if (first === '{') return readObject(reader)
  if (first === '[') return readArray(reader)
  if (first === '"') return readString(reader)
  return readWord(reader)
}

function readObject(reader: Reader): LockValue {
  const members = new Map<string, LockValue>()
  descend(reader)
  if (takes(reader, '}')) return members
  do {
    skipSpace(reader)
    if (reader.text[reader.at] !== '"') stop(reader, 'a name in double quotes is missing')
    const name = readString(reader)
    if (!takes(reader, ':')) stop(reader, 'a colon is missing')
    reader.path.push(name)
    if (members.has(name)) problem(reader.notes, reader.path, 'This name occurs twice in its object.')
    if (!name.isWellFormed()) problem(reader.notes, reader.path, 'This name holds half a surrogate pair.')
    members.set(name, readValue(reader))
    reader.path.pop()
  } while (takes(reader, ','))
  return takes(reader, '}') ? members : stop(reader, 'a comma or } is missing')
}

function readArray(reader: Reader): LockValue {
  const items: LockValue[] = []
  descend(reader)
  if (takes(reader, ']')) return items
  do {
    reader.path.push(items.length)
    items.push(readValue(reader))
    reader.path.pop()
  } while (takes(reader, ','))
  return takes(reader, ']') ? items : stop(reader, 'a comma or ] is missing')
}

function descend(reader: Reader): void {
  const { nestingLevelsMax } = reader.limits
  if (reader.path.length >= nestingLevelsMax) stop(reader, `more than ${nestingLevelsMax} levels of nesting`)
  reader.at += 1
}

function readString(reader: Reader): string {
  const { text, at: start } = reader
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  if (at >= text.length) stop(reader, 'a string does not end')
  reader.at = at + 1
  try {
    return JSON.parse(text.slice(start, at + 1))
  } catch {
    reader.at = start
    return stop(reader, 'a string holds a line break, another control character or an unknown escape')
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?<fraction>\.\d+)?(?<exponent>[eE][+-]?\d+)?/y
const WORDS: ReadonlyMap<string, LockValue> = new Map<string, LockValue>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])
const WORD = /-?[A-Za-z]+/y

function readWord(reader: Reader): LockValue {
  const word = match(WORD, reader)?.[0] ?? ''
  const value = WORDS.get(word)
  if (value !== undefined) {
    reader.at += word.length
    return value
  }
  const number = match(NUMBER, reader)
  if (number === null) return stop(reader, reader.at < reader.text.length ? 'a value is missing' : 'it ends too early')
  const [digits] = number
  if (number.groups?.['fraction'] === undefined && number.groups?.['exponent'] === undefined) {
    if (digits.length > integerDigitsMax) return stop(reader, `an integer has more than ${integerDigitsMax} digits`)
    reader.at += digits.length
    return BigInt(digits)
  }
  reader.at += digits.length
  return Number(digits)
}

function match(pattern: RegExp, reader: Reader): RegExpExecArray | null {
  pattern.lastIndex = reader.at
  return pattern.exec(reader.text)
}

const SPACE = /[ \t\n\r]*/y
function skipSpace(reader: Reader): void {
  reader.at += match(SPACE, reader)?.[0].length ?? 0
}

function takes(reader: Reader, mark: string): boolean {
  skipSpace(reader)
  if (reader.text[reader.at] !== mark) return false
  reader.at += 1
  return true
}

function stop(reader: Reader, message: string): never {
  const before = reader.text.slice(0, reader.at)
  const line = before.split('\n').length
  const column = before.length - before.lastIndexOf('\n')
  const near = reader.text.slice(reader.at, reader.at + 20)
  const where = near === '' ? '' : `, before ${quoted(near)}`
  const path: Path = reader.path
  problem(reader.notes, path, `This is not JSON: line ${line}, column ${column}: ${message}${where}.`)
  throw new Unreadable()
}
