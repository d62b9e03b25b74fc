import { isList, isTable, isUnquotedTime, type LockTable, type LockValue } from './lock-value.js'
import { pythonFloat, pythonText } from './python-text.js'

/**
 * A lockfile's document as TOML 1.0. Every value is written so that the parser of the Python client reads it, too,
 * wherever that parser knows a way: it fails at NaN and at some keys within inline tables.
 */
export function writeToml(root: LockTable): string {
  const lines: string[] = []
  writeMembers(lines, [], root)
  return `${lines.join('\n')}\n`
}

/** A table's plain members, then those that get headers of their own. */
function writeMembers(lines: string[], path: readonly string[], table: LockTable): void {
  const later: [string, LockValue][] = []
  for (const [name, value] of table) {
    if (needsHeader(path, name, value)) later.push([name, value])
    else if (!isMissing(path, value)) lines.push(`${keyOf(name)} = ${inlineOf(value)}`)
  }
  for (const [name, value] of later) writeBelow(lines, [...path, name], value)
}

function writeBelow(lines: string[], path: readonly string[], value: LockValue): void {
  const header = path.map(keyOf).join('.')
  if (isTable(value)) {
    if (isMade(path, value)) lines.push('', `[${header}]`)
    writeMembers(lines, path, value)
    return
  }
  for (const item of isList(value) ? value : []) {
    lines.push('', `[[${header}]]`)
    if (isTable(item)) writeMembers(lines, path, item)
  }
}

/**
 * If a table needs a header: not if those of its tables make it, nor if a reader takes its absence for emptiness. No
 * profiles are said to be none: a server refuses a file that names them nowhere.
 */
function isMade(path: readonly string[], table: LockTable): boolean {
  if (table.size > 0) return [...table].some(([name, value]) => !needsHeader(path, name, value))
  if (path.length === 1) return path[0] === 'profiles'
  return !(path.length === 3 && path[2] === 'registry_versions' && path[0] === 'profiles')
}

const DEPTH_OF_BINDINGS = 3

function needsHeader(path: readonly string[], name: string, value: LockValue): boolean {
  if (isList(value)) return path.length === DEPTH_OF_BINDINGS - 1 && path[0] === 'profiles' && name === 'bindings'
  return isTable(value) && !(path.length >= DEPTH_OF_BINDINGS && name === 'constraints' && isSimple(value))
}
/** TOML has no null: at the top, where it is the metadata, there is no way to say it. */
const isMissing = (path: readonly string[], value: LockValue): boolean => value === null && path.length === 0

/** What fits in one line, for people and for the client's parser: it splits inline tables at commas, quoted or not. */
function isSimple(table: LockTable): boolean {
  const isPlain = (value: LockValue): boolean =>
    typeof value === 'string' ? PLAIN.test(value) : value !== null && typeof value !== 'object'
  return [...table].every(
    ([name, value]) => BARE.test(name) && (isPlain(value) || (isList(value) && value.every(isPlain))),
  )
}
const PLAIN = /^[\w .:/+-]*$/

function inlineOf(value: LockValue): string {
  if (typeof value === 'string') return quoteToml(value)
  if (typeof value === 'number') return pythonFloat(value) ?? 'nan'
  // Whoever reads NaN finds null in its canonical text again, so the digest stays what it was.
  if (value === null) return 'nan'
  if (isList(value)) return `[${value.map(inlineOf).join(', ')}]`
  if (!isTable(value) || isUnquotedTime(value)) return pythonText(value)
  const members = [...value].map(([name, member]) => `${keyOf(name)} = ${inlineOf(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

const BARE = /^[A-Za-z0-9_-]+$/
const keyOf = (name: string): string => (BARE.test(name) ? name : quoteToml(name))

/** JSON's escapes are TOML's, but for DEL, which TOML wants escaped, and halves of surrogate pairs, which it has not. */
const quoteToml = (text: string): string => JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007f')
