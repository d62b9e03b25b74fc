import type { LockTable, LockValue } from './lock-value.js'
import type { LockBinding, Lockfile, LockfileFormat, LockProfile } from './lockfile.js'
import { compareCodePoints } from './python-text.js'
import { readCanonical } from './read-json.js'
import { writeJson } from './write-json.js'
import { writeToml } from './write-toml.js'

/**
 * A lockfile's text, in one order: profiles, registry versions and names within constraints and metadata are sorted,
 * bindings stay in theirs. Read again it has the same digests, but for what TOML cannot say: metadata that is null, and
 * halves of surrogate pairs.
 */
export function renderLockfile(lockfile: Lockfile, format: LockfileFormat): string {
  const root = documentOf(lockfile)
  return format === 'json' ? `${writeJson(root)}\n` : writeToml(root)
}

function documentOf(lockfile: Lockfile): LockTable {
  const profiles = [...lockfile.profiles].sort(([one], [other]) => compareCodePoints(one, other))
  const members: [string, LockValue | undefined][] = [
    ['version', lockfile.version],
    ['created_at', lockfile.createdAt ?? undefined],
    ['updated_at', lockfile.updatedAt ?? undefined],
    ['default_profile', lockfile.defaultProfile],
    ['profiles', new Map(profiles.map(([key, profile]) => [key, profileOf(profile)]))],
    ['extends', new Map([['packages', lockfile.packages]])],
    ['metadata', readCanonical(lockfile.metadata)],
  ]
  return tableOf(members)
}

function profileOf({ name, registryVersions, bindings }: LockProfile): LockTable {
  const versions = [...registryVersions].sort(([one], [other]) => compareCodePoints(one, other))
  return new Map<string, LockValue>([
    ['name', name],
    ['registry_versions', new Map(versions.map(([provider, version]) => [provider, BigInt(version)]))],
    ['bindings', bindings.map(bindingOf)],
  ])
}

function bindingOf({ alias, models, constraints }: LockBinding): LockTable {
  return tableOf([
    ['alias', alias],
    ['models', models],
    ['constraints', constraints === null ? undefined : readCanonical(constraints)],
  ])
}

const tableOf = (members: readonly (readonly [string, LockValue | undefined])[]): LockTable =>
  new Map(members.filter((member): member is readonly [string, LockValue] => member[1] !== undefined))
