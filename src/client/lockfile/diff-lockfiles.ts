import type { LockBinding, Lockfile } from '../../core/lockfile/index.js'
import { constraintsOf } from './edit-lockfile.js'

type Content = { readonly models: readonly string[]; readonly constraints: Readonly<Record<string, unknown>> | null }
type Named = { readonly profile: string; readonly alias: string }

/** What differs between two states of aliases, as the server's diffs say it. */
export type AliasDiff = {
  readonly added: readonly (Named & Content)[]
  readonly changed: readonly (Named & { readonly before: Content; readonly after: Content })[]
  readonly removed: readonly (Named & Content)[]
}

/** What makes the aliases of one lockfile those of another. `profile` limits it; the order of bindings is no difference. */
export function diffLockfiles(before: Lockfile, after: Lockfile, profile?: string): AliasDiff {
  const names = [...new Set([...before.profiles.keys(), ...after.profiles.keys()])].sort()
  const profiles = profile === undefined ? names : [profile]
  const parts = profiles.map((name) => diffProfile(name, bindingsOf(before, name), bindingsOf(after, name)))
  return {
    added: parts.flatMap(({ added }) => added),
    changed: parts.flatMap(({ changed }) => changed),
    removed: parts.flatMap(({ removed }) => removed),
  }
}

export const isEmptyDiff = ({ added, changed, removed }: AliasDiff): boolean =>
  added.length + changed.length + removed.length === 0

type Bindings = ReadonlyMap<string, LockBinding>

const bindingsOf = (lockfile: Lockfile, profile: string): Bindings =>
  new Map(lockfile.profiles.get(profile)?.bindings.map((binding) => [binding.alias, binding]))

const contentOf = ({ models, constraints }: LockBinding): Content => ({
  models,
  constraints: constraintsOf(constraints),
})

function diffProfile(profile: string, before: Bindings, after: Bindings): AliasDiff {
  const differs = (one: LockBinding, other: LockBinding) =>
    JSON.stringify([one.models, one.constraints]) !== JSON.stringify([other.models, other.constraints])
  return {
    added: [...after.values()]
      .filter(({ alias }) => !before.has(alias))
      .map((binding) => ({ profile, alias: binding.alias, ...contentOf(binding) })),
    changed: [...after.values()].flatMap((binding) => {
      const old = before.get(binding.alias)
      if (old === undefined || !differs(old, binding)) return []
      return [{ profile, alias: binding.alias, before: contentOf(old), after: contentOf(binding) }]
    }),
    removed: [...before.values()]
      .filter(({ alias }) => !after.has(alias))
      .map((binding) => ({ profile, alias: binding.alias, ...contentOf(binding) })),
  }
}
