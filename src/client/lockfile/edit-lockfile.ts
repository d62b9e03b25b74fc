import {
  canonicalText,
  isoTime,
  type LockBinding,
  type Lockfile,
  type LockProfile,
  newHeader,
} from '../../core/lockfile/index.js'
import type { AliasBinding } from '../alias-client.js'

const FIRST_PROFILE = 'default'

/** A lockfile that was made at this moment. */
export function newLockfile(profile: string, bindings: readonly LockBinding[], now: Date): Lockfile {
  const time = isoTime(now)
  return {
    ...newHeader(time),
    updatedAt: time,
    profiles: new Map(
      [FIRST_PROFILE, profile].map((name) => [
        name,
        { ...emptyProfile(name), ...(name === profile ? { bindings } : {}) },
      ]),
    ),
  }
}

/** Binds an alias; a rebind moves it to the end. A profile that is not there is added. */
export function withBinding(lockfile: Lockfile, profile: string, binding: LockBinding, now: Date): Lockfile {
  return withProfile(lockfile, profile, now, (known) => ({
    ...known,
    bindings: [...known.bindings.filter(({ alias }) => alias !== binding.alias), binding],
  }))
}

/** Without an alias; undefined if it is not bound. */
export function withoutBinding(lockfile: Lockfile, profile: string, alias: string, now: Date): Lockfile | undefined {
  const known = lockfile.profiles.get(profile)
  if (known === undefined || !known.bindings.some((binding) => binding.alias === alias)) return undefined
  const bindings = known.bindings.filter((binding) => binding.alias !== alias)
  return withProfile(lockfile, profile, now, () => ({ ...known, bindings }))
}

/** Pins versions of the registry, beside those that are pinned already. */
export function withRegistryVersions(
  lockfile: Lockfile,
  profile: string,
  versions: Readonly<Record<string, number>>,
  now: Date,
): Lockfile {
  return withProfile(lockfile, profile, now, (known) => ({
    ...known,
    registryVersions: new Map([...known.registryVersions, ...Object.entries(versions)]),
  }))
}

/** The constraints of a binding as the text that is kept, and back. */
export const constraintsText = (constraints: AliasBinding['constraints']): string | null =>
  constraints === null ? null : canonicalText(JSON.stringify(constraints))

export const constraintsOf = (text: string | null): AliasBinding['constraints'] =>
  text === null ? null : (JSON.parse(text) as Record<string, unknown>)

function withProfile(
  lockfile: Lockfile,
  name: string,
  now: Date,
  change: (profile: LockProfile) => LockProfile,
): Lockfile {
  const changed = change(lockfile.profiles.get(name) ?? emptyProfile(name))
  const neverPublished = lockfile.createdAt === null && lockfile.updatedAt === null
  return {
    ...lockfile,
    profiles: new Map([...lockfile.profiles, [name, changed]]),
    // Publishing sets both times of a file that has none.
    ...(neverPublished ? {} : { updatedAt: isoTime(now) }),
  }
}

const emptyProfile = (name: string): LockProfile => ({ name, registryVersions: new Map(), bindings: [] })
