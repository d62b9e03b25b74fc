import { isoTime, type LockProfile, newHeader, parseHeader, type StoredHeader } from '../../core/lockfile/index.js'
import type { HeldBinding } from './compare.js'
import type { TimedLockfile } from './lock-digest.js'
import type { HeldLock } from './store.js'

/** The header that holds at a revision: one from before there were lockfiles began with its project's first revision. */
export function headerOf({ header, firstChangedAt }: HeldLock): StoredHeader {
  return header === null ? newHeader(isoTime(firstChangedAt)) : parseHeader(header)
}

export const updatedAtOf = ({ updatedAt, changedAt }: HeldLock): string => updatedAt ?? isoTime(changedAt)

/** The lockfile of a revision: the profiles that its header names, and those in which something is bound. */
export function lockfileOf(lock: HeldLock, bindings: readonly HeldBinding[]): TimedLockfile {
  const header = headerOf(lock)
  return { ...header, updatedAt: updatedAtOf(lock), profiles: profilesOf(header, bindings) }
}

export function profilesOf(header: StoredHeader, bindings: readonly HeldBinding[]): ReadonlyMap<string, LockProfile> {
  const profiles = new Map<string, LockProfile & { readonly bindings: HeldBinding[] }>()
  const add = (key: string, rest: Omit<LockProfile, 'bindings'>) => {
    const profile = { ...rest, bindings: [] }
    profiles.set(key, profile)
    return profile
  }
  for (const [key, rest] of header.profiles) add(key, rest)
  for (const binding of bindings) {
    const key = binding.profile
    const profile = profiles.get(key) ?? add(key, { name: key, registryVersions: new Map() })
    profile.bindings.push(binding)
  }
  return profiles
}
