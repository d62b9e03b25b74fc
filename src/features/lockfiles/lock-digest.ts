import { createHash } from 'node:crypto'
import {
  bindingTexts,
  type LockDigests,
  type LockProfile,
  lockDigests,
  type StoredHeader,
} from '../../core/lockfile/index.js'

/** A lockfile that has its times. */
export type Published = Omit<StoredHeader, 'profiles'> & {
  readonly updatedAt: string
  readonly profiles: ReadonlyMap<string, LockProfile>
}

export function digestsOf(lockfile: Published): LockDigests {
  const profiles = [...lockfile.profiles].map(([name, { name: ownName, registryVersions, bindings }]) => ({
    ...{ name, ownName, registryVersions, bindings: bindings.map(bindingTexts) },
  }))
  return lockDigests(lockfile, profiles, sha256)
}

function sha256(chunks: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
