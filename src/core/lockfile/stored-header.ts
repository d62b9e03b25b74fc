import { isList, isTable, type LockTable, type LockValue } from './lock-value.js'
import type { Lockfile, LockHeader, LockProfile } from './lockfile.js'
import { pythonText } from './python-text.js'
import { readCanonical } from './read-json.js'

/** What a lockfile holds beside its bindings, but for `updated_at`, which every revision has anew. */
export type StoredHeader = Omit<LockHeader, 'updatedAt'> & {
  readonly profiles: ReadonlyMap<string, Omit<LockProfile, 'bindings'>>
}

/** The header of a project that never published a lockfile. */
export const newHeader = (createdAt: string): StoredHeader => ({
  ...{ version: '1.0', createdAt, defaultProfile: 'default', packages: [], metadata: '{}', profiles: new Map() },
})

/** The header of a lockfile that was read; one without `created_at` gets the given one. */
export function headerOf({ createdAt, profiles, ...rest }: Lockfile, createdNow: string): StoredHeader {
  const { version, defaultProfile, packages, metadata } = rest
  const kept = [...profiles].map(([key, { name, registryVersions }]) => [key, { name, registryVersions }] as const)
  return { version, createdAt: createdAt ?? createdNow, defaultProfile, packages, metadata, profiles: new Map(kept) }
}

/** A header as JSON text in its canonical spelling: two headers are equal if their texts are. */
export function headerText(header: StoredHeader): string {
  const profiles = [...header.profiles].map(([key, { name, registryVersions }]): [string, LockValue] => {
    const versions = [...registryVersions].map(([provider, version]): [string, LockValue] => [
      provider,
      BigInt(version),
    ])
    const members: [string, LockValue][] = [['registry_versions', new Map(versions)]]
    return [key, new Map(name === key ? members : [...members, ['name', name]])]
  })
  return pythonText(
    new Map<string, LockValue>([
      ['version', header.version],
      ['created_at', header.createdAt],
      ['default_profile', header.defaultProfile],
      ['extends', new Map([['packages', header.packages]])],
      ['metadata', readCanonical(header.metadata)],
      ['profiles', new Map(profiles)],
    ]),
  )
}

/** The profiles of which two headers say different things: all, if it is something that stands above profiles. */
export function differentProfiles(one: StoredHeader, other: StoredHeader): string[] {
  const textOf = (header: StoredHeader, name?: string) =>
    headerText({ ...header, profiles: new Map([...header.profiles].filter(([key]) => key === name)) })
  const names = [...new Set([...one.profiles.keys(), ...other.profiles.keys()])]
  return textOf(one) === textOf(other) ? names.filter((name) => textOf(one, name) !== textOf(other, name)) : names
}

/** Reads a text that `headerText` wrote. What it would never have written is read as if it were not there. */
export function parseHeader(text: string): StoredHeader {
  const table = tableOf(readCanonical(text))
  const profiles = [...tableOf(table.get('profiles'))].map(([key, value]) => {
    const profile = tableOf(value)
    const versions = [...tableOf(profile.get('registry_versions'))]
    return [
      key,
      {
        name: textOf(profile.get('name'), key),
        registryVersions: new Map(versions.map(([provider, version]) => [provider, Number(version)])),
      },
    ] as const
  })
  const packages = tableOf(table.get('extends')).get('packages')
  return {
    version: textOf(table.get('version'), '1.0'),
    createdAt: textOf(table.get('created_at'), ''),
    defaultProfile: textOf(table.get('default_profile'), 'default'),
    packages: isList(packages) ? packages.map((name) => textOf(name, '')) : [],
    metadata: pythonText(table.get('metadata') ?? null),
    profiles: new Map(profiles),
  }
}

/** The time of a JavaScript `Date`'s milliseconds as Python's `isoformat` writes it, in UTC. */
export function isoTime(time: Date): string {
  const text = time.toISOString()
  const millis = text.slice(19, 23)
  return `${text.slice(0, 19)}${millis === '.000' ? '' : `${millis}000`}+00:00`
}

const tableOf = (value: LockValue | undefined): LockTable => (isTable(value) ? value : new Map())
const textOf = (value: LockValue | undefined, otherwise: string): string =>
  typeof value === 'string' ? value : otherwise
