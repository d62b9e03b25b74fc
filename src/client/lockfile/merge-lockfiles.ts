import { type Lockfile, type LockfileFormat, type LockProfile, renderLockfile } from '../../core/lockfile/index.js'

export type MergeOptions = {
  /** Keep what only ours has. */
  readonly merge: boolean
  /** Only this profile. */
  readonly profile: string | undefined
  readonly format: LockfileFormat
}

/** The text of our lockfile after theirs was taken over, with what stays of ours. */
export function mergedText(ours: Lockfile, theirs: Lockfile, { merge, profile, format }: MergeOptions): string {
  const isReplaced = !merge && profile !== undefined
  return renderLockfile(
    isReplaced ? replaceProfile(ours, theirs, profile) : mergeLockfiles(ours, theirs, profile),
    format,
  )
}

/**
 * A lockfile with another one's aliases and pins over its own: what both bind is bound as in `theirs`, what only `ours`
 * has stays. `profile` limits it. The header stays ours.
 */
function mergeLockfiles(ours: Lockfile, theirs: Lockfile, profile?: string): Lockfile {
  const profiles = new Map(ours.profiles)
  for (const [name, their] of theirs.profiles) {
    if (profile !== undefined && name !== profile) continue
    const our = profiles.get(name)
    profiles.set(name, our === undefined ? their : mergeProfiles(our, their))
  }
  const times = [ours.updatedAt, theirs.updatedAt].filter((time) => time !== null).sort()
  return { ...ours, profiles, createdAt: ours.createdAt ?? theirs.createdAt, updatedAt: times.at(-1) ?? null }
}

/** A lockfile in which one profile is another lockfile's, or is not there if that has none. */
function replaceProfile(ours: Lockfile, theirs: Lockfile, profile: string): Lockfile {
  const profiles = new Map(ours.profiles)
  const their = theirs.profiles.get(profile)
  if (their === undefined) profiles.delete(profile)
  else profiles.set(profile, their)
  return { ...ours, profiles, updatedAt: theirs.updatedAt ?? ours.updatedAt }
}

function mergeProfiles(our: LockProfile, their: LockProfile): LockProfile {
  const taken = new Map(their.bindings.map((binding) => [binding.alias, binding]))
  const known = new Set(our.bindings.map(({ alias }) => alias))
  return {
    ...our,
    registryVersions: new Map([...our.registryVersions, ...their.registryVersions]),
    bindings: [
      ...our.bindings.map((binding) => taken.get(binding.alias) ?? binding),
      ...their.bindings.filter(({ alias }) => !known.has(alias)),
    ],
  }
}
