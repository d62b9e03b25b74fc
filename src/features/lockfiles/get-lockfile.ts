import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import { lockfileOf } from './held-lockfile.js'
import { digestsOf, type TimedLockfile } from './lock-digest.js'
import type { LockfileStore } from './store.js'

export type ReadDeps = { readonly store: Pick<LockfileStore, 'findHead' | 'findDigest' | 'lockAt' | 'bindingsAt'> }
/** `digest`: by the rule of today. */
export type Shown = { readonly lockfile: TimedLockfile; readonly digest: string; readonly revision: number }

/**
 * The lockfile of the revision that holds, or only one profile of it. Throws `not-found` if nothing was ever bound, or
 * there is no such profile. Only its digest, without reading the rest, if the caller knows one of the digests already.
 */
export async function currentLockfile(
  { store }: ReadDeps,
  projectId: ProjectId,
  profile: string | undefined,
  isKnown: (digest: string) => boolean,
): Promise<Shown | { readonly knownDigest: string }> {
  const head = await store.findHead(projectId)
  if (head === undefined) throw new AppError('not-found', 'This project has no lockfile: nothing was ever bound.')
  const knownDigest = profile === undefined ? head.digests.find(isKnown) : undefined
  if (knownDigest !== undefined) return { knownDigest }
  const shown = await lockfileAt({ store }, projectId, head.revision, profile)
  if (profile !== undefined && !shown.lockfile.profiles.has(profile)) {
    throw new AppError('not-found', `The lockfile has no profile '${profile}'.`)
  }
  return shown
}

/** The lockfile that has, or had, this digest by any of the rules. Throws `not-found`. */
export async function lockfileOfDigest({ store }: ReadDeps, projectId: ProjectId, digest: string): Promise<Shown> {
  const revision = await store.findDigest(projectId, digest)
  if (revision === undefined) throw new AppError('not-found', 'No lockfile of this project has this digest.')
  return lockfileAt({ store }, projectId, revision)
}

async function lockfileAt(
  { store }: ReadDeps,
  projectId: ProjectId,
  revision: number,
  profile?: string,
): Promise<Shown> {
  const [lock, bindings] = await Promise.all([
    store.lockAt(projectId, revision),
    store.bindingsAt(projectId, revision, profile),
  ])
  // Erased meanwhile.
  if (lock === undefined) throw new AppError('not-found', 'This project has no lockfile: nothing was ever bound.')
  const whole = lockfileOf(lock, bindings)
  const profiles = [...whole.profiles].filter(([key]) => profile === undefined || key === profile)
  const lockfile = { ...whole, profiles: new Map(profiles) }
  return { lockfile, digest: digestsOf(lockfile).current, revision }
}
