import type { LockfileLimits } from './limits.js'
import { isList, isTable, type LockTable, type LockValue } from './lock-value.js'
import { type Notes, type Path, problem, quoted, warn } from './notes.js'
import { pythonText } from './python-text.js'

/** What the readers of a lockfile's parts share. */
export type Reading = {
  readonly notes: Notes
  readonly limits: LockfileLimits
  /** If models may be named without their provider: a server keeps such aliases of old clients, and serves them. */
  readonly bareModels: 'refuse' | 'keep'
  /** If constraints and metadata may hold NUL and halves of surrogate pairs, which Python keeps. */
  readonly unstorableText: 'refuse' | 'keep'
  /** If a file may name no profiles at all. */
  readonly missingProfiles: 'refuse' | 'keep'
}

/** A value that is there and is not null: the Python client leaves out no member, and TOML has no null. */
export const isGiven = (value: LockValue | undefined): value is Exclude<LockValue, null> =>
  value !== undefined && value !== null

/** Undefined, and a problem noted, unless the value is a table. */
export function readTable(reading: Reading, path: Path, value: LockValue | undefined): LockTable | undefined {
  if (isTable(value)) return value
  return problem(reading.notes, path, 'This must be a table.')
}

/** Notes the members that are no part of a lockfile: the Python client drops them, and so does this one. */
export function warnOfStrangers(reading: Reading, path: Path, table: LockTable, known: ReadonlySet<string>): void {
  for (const name of table.keys()) {
    if (!known.has(name)) warn(reading.notes, [...path, name], 'A lockfile has no member of this name; it is left out.')
  }
}

/** A list's items. Undefined, and a problem noted, for what is no list, or a longer one. */
export function readList(
  reading: Reading,
  path: Path,
  value: LockValue | undefined,
  itemsMax: number,
): readonly LockValue[] | undefined {
  if (!isList(value)) return problem(reading.notes, path, 'This must be a list.')
  if (value.length <= itemsMax) return value
  return problem(reading.notes, path, `There are ${value.length} here, and ${itemsMax} at most are allowed.`)
}

/** A table's members. Undefined, and a problem noted, for what is no table, or a larger one. */
export function readEntries(
  reading: Reading,
  path: Path,
  value: LockValue | undefined,
  entriesMax: number,
): [string, LockValue][] | undefined {
  const table = readTable(reading, path, value)
  if (table === undefined || table.size <= entriesMax) return table && [...table]
  return problem(reading.notes, path, `There are ${table.size} here, and ${entriesMax} at most are allowed.`)
}

/** A text with something to see in it that a database can hold. Undefined, and a problem noted, for another value. */
export function readName(reading: Reading, path: Path, value: LockValue | undefined): string | undefined {
  const { nameCharactersMax } = reading.limits
  if (typeof value !== 'string') return problem(reading.notes, path, 'This must be a text in quotes.')
  if (value.trim() === '') return problem(reading.notes, path, 'This must not be blank.')
  if (value.length > nameCharactersMax) {
    return problem(reading.notes, path, `This has more than ${nameCharactersMax} characters.`)
  }
  return isStorable(value) ? value : problem(reading.notes, path, unstorable(value))
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
const unstorable = (text: string): string => `${quoted(text)} holds NUL or half a surrogate pair.`

/** An object's canonical text. Undefined, and a problem noted, for what is no object, or one that is too large. */
export function readObjectText(reading: Reading, path: Path, value: LockValue): string | undefined {
  if (!isTable(value)) return problem(reading.notes, path, 'This must be a table.')
  const { objectCharactersMax } = reading.limits
  if (reading.unstorableText === 'refuse') noteUnstorable(reading, path, value)
  const text = pythonText(value)
  if (text.length <= objectCharactersMax) return text
  return problem(reading.notes, path, `This has more than ${objectCharactersMax} characters as JSON.`)
}

function noteUnstorable(reading: Reading, path: Path, value: LockValue): void {
  if (typeof value === 'string' && !isStorable(value)) problem(reading.notes, path, unstorable(value))
  else if (isList(value)) for (const [index, item] of value.entries()) noteUnstorable(reading, [...path, index], item)
  else if (isTable(value)) {
    for (const [name, member] of value) {
      if (!isStorable(name)) problem(reading.notes, path, unstorable(name))
      noteUnstorable(reading, [...path, name], member)
    }
  }
}
