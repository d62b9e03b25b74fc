import { createHash } from 'node:crypto'
import { bindingTexts, type Lockfile, lockDigests } from '../../src/core/lockfile/index.js'

const UNPUBLISHED = '1970-01-01T00:00:00+00:00'

function sha256(chunks: Iterable<string>): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/** The digests of a lockfile that was read; one without times counts as of 1970. */
export function digestsOf(lockfile: Lockfile) {
  const { createdAt, updatedAt, profiles } = lockfile
  const header = { ...lockfile, createdAt: createdAt ?? UNPUBLISHED, updatedAt: updatedAt ?? UNPUBLISHED }
  const texts = [...profiles].map(([name, profile]) => ({
    name,
    ownName: profile.name,
    registryVersions: profile.registryVersions,
    bindings: profile.bindings.map(bindingTexts),
  }))
  return lockDigests(header, texts, sha256)
}
