import { parse, TomlDate, TomlError } from 'smol-toml'
import { parseDateTime } from './date-time.js'
import { liftDateTimes } from './lift-date-times.js'
import { integerDigitsMax, type LockfileLimits } from './limits.js'
import type { LockValue } from './lock-value.js'
import { type Notes, problem, quoted } from './notes.js'

type Walk = {
  readonly notes: Notes
  readonly nestingLevelsMax: number
  readonly written: readonly string[]
  readonly path: (string | number)[]
}

/** Above every integer of so many digits. */
const integerEnd = 10n ** BigInt(integerDigitsMax)

/**
 * Reads a TOML document: integers exact, floats apart from them, dates and times as they were written. Undefined if the
 * text cannot be read; then the last of the problems says why and where.
 */
export function readToml(text: string, limits: LockfileLimits, notes: Notes): LockValue | undefined {
  const { nestingLevelsMax, tomlCostMax } = limits
  const lifted = liftDateTimes(text, tomlCostMax)
  if (lifted === null) return problem(notes, [], 'The file has too many tables, names and values.')
  try {
    const root = parse(lifted.text, { integersAsBigInt: true, maxDepth: nestingLevelsMax })
    return toValue({ notes, nestingLevelsMax, written: lifted.written, path: [] }, root)
  } catch (error) {
    if (error instanceof TomlError) return noteSyntax(text, error, nestingLevelsMax, notes)
    throw error
  }
}

function toValue(walk: Walk, value: unknown): LockValue {
  if (typeof value === 'bigint') return value < integerEnd && value > -integerEnd ? value : tooLong(walk)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof TomlDate) return toDateTime(walk, walk.written[value.getTime()] ?? '')
  if (walk.path.length >= walk.nestingLevelsMax) {
    problem(walk.notes, walk.path, `There are more than ${walk.nestingLevelsMax} levels of nesting.`)
    return null
  }
  if (Array.isArray(value)) return value.map((item: unknown, index) => toMember(walk, index, item))
  const members = value as Readonly<Record<string, unknown>>
  const table = new Map<string, LockValue>()
  for (const name of Object.keys(members)) table.set(name, toMember(walk, name, members[name]))
  return table
}

function toMember(walk: Walk, name: string | number, member: unknown): LockValue {
  walk.path.push(name)
  const value = toValue(walk, member)
  walk.path.pop()
  return value
}

function toDateTime(walk: Walk, written: string): LockValue {
  const unquoted = parseDateTime(written)
  if (unquoted !== null) return { unquoted }
  problem(walk.notes, walk.path, `${quoted(written)} is not a date or time that exists.`)
  return null
}

function tooLong(walk: Walk): null {
  problem(walk.notes, walk.path, `The integer has more than ${integerDigitsMax} digits.`)
  return null
}

/** The parser's words are right for the lifted text; the place is that in the text as it was sent. */
function noteSyntax(text: string, found: TomlError, nestingLevelsMax: number, notes: Notes): undefined {
  const { message, line, column } = parseFault(text, nestingLevelsMax) ?? found
  const [, reason = ''] = /^Invalid TOML document: ([^\n]*)/.exec(message) ?? []
  return problem(notes, [], `This is not TOML: line ${line}, column ${column}: ${reason}.`)
}

function parseFault(text: string, nestingLevelsMax: number): TomlError | null {
  try {
    parse(text, { integersAsBigInt: true, maxDepth: nestingLevelsMax })
    return null
  } catch (error) {
    return error instanceof TomlError ? error : null
  }
}
