import { isoText, parseDateTime } from './date-time.js'
import { isUnquotedTime, type LockTable, type LockValue } from './lock-value.js'
import type { Lockfile, LockProfile } from './lockfile.js'
import { problem, quoted, warn } from './notes.js'
import {
  isGiven,
  type Reading,
  readEntries,
  readList,
  readName,
  readObjectText,
  readTable,
  warnOfStrangers,
} from './read-member.js'
import { readAliases, readProfile } from './read-profile.js'

/** The one version of the format that there is. */
const VERSION = '1.0'
const DEFAULT_PROFILE = 'default'
const KNOWN = new Set([
  'version',
  'created_at',
  'updated_at',
  'default_profile',
  'profiles',
  'aliases',
  'extends',
  'metadata',
])

/** A document's lockfile. Undefined if it is no table; else whether it can be used is for the problems to say. */
export function readLockfile(reading: Reading, root: LockValue): Lockfile | undefined {
  const table = readTable(reading, [], root)
  if (table === undefined) return undefined
  warnOfStrangers(reading, [], table, KNOWN)
  const profiles = readProfiles(reading, table)
  const given = table.get('default_profile')
  const defaultProfile = given === undefined ? DEFAULT_PROFILE : readName(reading, ['default_profile'], given)
  if (given !== undefined && defaultProfile !== undefined && !profiles.has(defaultProfile)) {
    warn(reading.notes, ['default_profile'], `The file has no profile ${quoted(defaultProfile)}.`)
  }
  return {
    version: readVersion(reading, table.get('version')),
    createdAt: readTime(reading, 'created_at', table.get('created_at')),
    updatedAt: readTime(reading, 'updated_at', table.get('updated_at')),
    defaultProfile: defaultProfile ?? DEFAULT_PROFILE,
    profiles,
    packages: readPackages(reading, table.get('extends')),
    metadata: readMetadata(reading, table.get('metadata')),
  }
}

function readVersion(reading: Reading, value: LockValue | undefined): string {
  if (value === undefined || value === VERSION) return VERSION
  const shown = typeof value === 'string' ? quoted(value) : 'This'
  problem(reading.notes, ['version'], `${shown} is not a known version; write "${VERSION}".`)
  return VERSION
}

function readTime(reading: Reading, name: string, value: LockValue | undefined): string | null {
  if (!isGiven(value)) return null
  const dateTime = isUnquotedTime(value) ? value.unquoted : typeof value === 'string' ? parseDateTime(value) : null
  const text = dateTime === null ? null : isoText(dateTime)
  if (text === null) problem(reading.notes, [name], 'This must be a date and time, like "2025-09-28T12:00:00+00:00".')
  return text
}

function readProfiles(reading: Reading, table: LockTable): ReadonlyMap<string, LockProfile> {
  const { limits, notes } = reading
  if (table.has('profiles') && table.has('aliases')) {
    problem(
      notes,
      ['aliases'],
      'The file has [profiles.…] and, in the older spelling, [aliases.…]; keep one of the two.',
    )
  }
  if (reading.missingProfiles === 'refuse' && !table.has('profiles') && !table.has('aliases')) {
    problem(
      notes,
      ['profiles'],
      'The file has no profiles. Send them as [[profiles.default.bindings]] or, to unbind everything, an empty table: [profiles], or {"profiles": {}} as JSON.',
    )
  }
  const profiles = new Map<string, LockProfile>()
  for (const [part, read] of [['profiles', readProfile] as const, ['aliases', readAliases] as const]) {
    const value = table.get(part)
    if (value === undefined) continue
    for (const [key, member] of readEntries(reading, [part], value, limits.profilesMax) ?? []) {
      const name = readName(reading, [part, key], key)
      const profile = read(reading, [part, key], key, member)
      if (name !== undefined && profile !== undefined) profiles.set(key, profile)
    }
  }
  const bindings = [...profiles.values()].reduce((sum, profile) => sum + profile.bindings.length, 0)
  if (bindings > limits.bindingsMax) {
    problem(notes, ['profiles'], `There are ${bindings} bindings, and ${limits.bindingsMax} at most are allowed.`)
  }
  return profiles
}

/** As the Python client checks the names of packages (PEP 508). */
const PACKAGE = /^[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?$/i

function readPackages(reading: Reading, value: LockValue | undefined): readonly string[] {
  if (value === undefined) return []
  const table = readTable(reading, ['extends'], value)
  if (table === undefined || !table.has('packages')) return []
  warnOfStrangers(reading, ['extends'], table, new Set(['packages']))
  const path = ['extends', 'packages']
  const items = readList(reading, path, table.get('packages'), reading.limits.packagesMax) ?? []
  return items.flatMap((item, index) => {
    const name = readName(reading, [...path, index], item)
    if (name === undefined || PACKAGE.test(name)) return name ?? []
    problem(reading.notes, [...path, index], `${quoted(name)} is not the name of a Python package.`)
    return []
  })
}

/** Metadata that is null counts in the digest; none at all is an empty object. */
function readMetadata(reading: Reading, value: LockValue | undefined): string {
  if (value === undefined) return '{}'
  return value === null ? 'null' : (readObjectText(reading, ['metadata'], value) ?? '{}')
}
