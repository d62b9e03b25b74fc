import {
  bindingTexts,
  type LockDigests,
  type LockProfile,
  lockDigests,
  type StoredHeader,
} from '../../core/lockfile/index.js'
import { sha256Hex } from '../../platform/sha256.js'

/** A lockfile that has its times. */
export type TimedLockfile = Omit<StoredHeader, 'profiles'> & {
  readonly updatedAt: string
  readonly profiles: ReadonlyMap<string, LockProfile>
}

export function digestsOf(lockfile: TimedLockfile): LockDigests {
  const profiles = [...lockfile.profiles].map(([name, { name: ownName, registryVersions, bindings }]) => ({
    ...{ name, ownName, registryVersions, bindings: bindings.map(bindingTexts) },
  }))
  return lockDigests(lockfile, profiles, sha256Hex)
}
