import type { LockValue } from './lock-value.js'
import type { LockBinding, LockProfile } from './lockfile.js'
import { type Path, problem, quoted, warn } from './notes.js'
import { readAlias, readBinding, readModels } from './read-binding.js'
import { isGiven, type Reading, readEntries, readList, readName, readTable, warnOfStrangers } from './read-member.js'

const KNOWN = new Set(['name', 'bindings', 'registry_versions'])

/** A profile of `[profiles.x]`; one without a name takes its key. Undefined if it is no table. */
export function readProfile(reading: Reading, path: Path, key: string, value: LockValue): LockProfile | undefined {
  const table = readTable(reading, path, value)
  if (table === undefined) return undefined
  warnOfStrangers(reading, path, table, KNOWN)
  if (!table.has('name')) reading.notes.isDated = true
  const name = table.has('name') ? readName(reading, [...path, 'name'], table.get('name')) : key
  if (name !== undefined && name !== key)
    warn(reading.notes, [...path, 'name'], `The profile ${quoted(key)} has another name.`)
  const bindings = table.has('bindings') ? readBindings(reading, [...path, 'bindings'], table.get('bindings')) : []
  const versions = table.get('registry_versions')
  return {
    name: name ?? key,
    bindings,
    registryVersions:
      versions === undefined ? new Map() : readVersions(reading, [...path, 'registry_versions'], versions),
  }
}

function readBindings(reading: Reading, path: Path, value: LockValue | undefined): LockBinding[] {
  const items = readList(reading, path, value, reading.limits.bindingsMax) ?? []
  const first = new Map<string, number>()
  const bindings: LockBinding[] = []
  items.forEach((item, index) => {
    const binding = readBinding(reading, [...path, index], item)
    if (binding === undefined) return
    const earlier = first.get(binding.alias)
    if (earlier !== undefined) {
      problem(reading.notes, [...path, index, 'alias'], `${quoted(binding.alias)} is bound at ${earlier} already.`)
    }
    first.set(binding.alias, earlier ?? index)
    bindings.push(binding)
  })
  return bindings
}

/** A profile of `[aliases.x]`, each of whose members is an alias with its model, or with several. */
export function readAliases(reading: Reading, path: Path, key: string, value: LockValue): LockProfile | undefined {
  const entries = readEntries(reading, path, value, reading.limits.bindingsMax)
  if (entries === undefined) return undefined
  reading.notes.isDated = true
  const bindings = entries.flatMap(([name, models]): LockBinding[] => {
    const alias = readAlias(reading, [...path, name], name)
    const listed = readModels(reading, [...path, name], typeof models === 'string' ? [models] : models)
    return alias === undefined || listed === undefined ? [] : [{ alias, models: listed, constraints: null }]
  })
  return { name: key, bindings, registryVersions: new Map() }
}

function readVersions(reading: Reading, path: Path, value: LockValue): ReadonlyMap<string, number> {
  const entries = readEntries(reading, path, value, reading.limits.registryVersionsPerProfileMax) ?? []
  const versions = new Map<string, number>()
  for (const [provider, given] of entries) {
    const name = readName(reading, [...path, provider], provider)
    const version = toInteger(given)
    if (version === undefined) {
      problem(reading.notes, [...path, provider], 'A registry version is an integer, like 7.')
    } else if (name !== undefined) versions.set(name, version)
  }
  return versions
}

const INTEGER_TEXT = /^\s*[+-]?\d+(?:_\d+)*(?:\.0+)?\s*$/

/** What the models of the Python client make an integer of: 7, 7.0, true, "7", "7.0" and "1_000". */
function toInteger(value: LockValue): number | undefined {
  const isNumber = typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean'
  const isText = typeof value === 'string' && value.length <= 64 && INTEGER_TEXT.test(value)
  if (!isGiven(value) || !(isNumber || isText)) return undefined
  const integer = Number(typeof value === 'string' ? value.replaceAll('_', '') : value)
  // Negative zero is zero.
  return Number.isSafeInteger(integer) ? integer + 0 : undefined
}
