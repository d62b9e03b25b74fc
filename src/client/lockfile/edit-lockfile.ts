import { canonicalText, type LockBinding, type Lockfile, type LockProfile } from '../../core/lockfile/index.js'
import type { AliasBinding } from '../alias-client.js'

const FIRST_PROFILE = 'default'

/** A lockfile that was made at this moment. */
export function newLockfile(profile: string, bindings: readonly LockBinding[], now: Date): Lockfile {
  const time = timeText(now)
  return {
    ...{
      version: '1.0',
      createdAt: time,
      updatedAt: time,
      defaultProfile: FIRST_PROFILE,
      packages: [],
      metadata: '{}',
    },
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
    ...(neverPublished ? {} : { updatedAt: timeText(now) }),
  }
}

const emptyProfile = (name: string): LockProfile => ({ name, registryVersions: new Map(), bindings: [] })

/** A moment as Python's `datetime.isoformat` writes it. */
function timeText(now: Date): string {
  return now.toISOString().replace(/(?:\.(\d{3}))?Z$/, (_, ms: string) => (ms === '000' ? '+00:00' : `.${ms}000+00:00`))
}
