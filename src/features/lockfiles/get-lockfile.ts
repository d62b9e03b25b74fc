import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import { lockfileOf } from './held-lockfile.js'
import { type Keep, type Known, onlyProfile, type Shown } from './kept-lockfile.js'
import { digestsOf } from './lock-digest.js'
import type { LockfileStore } from './store.js'

export type ReadDeps = {
  readonly store: Pick<LockfileStore, 'findHead' | 'findDigest' | 'lockAt' | 'bindingsAt'>
  readonly kept: ReturnType<Keep>
}
/** The lockfile, or its digest alone if the caller has it, and how old it is where the database is away. */
export type Current = { readonly shown: Shown | { readonly knownDigest: string }; readonly staleSeconds?: number }

/**
 * The lockfile of the revision that holds, or only one profile of it: from memory where it is there. Throws `not-found`
 * if nothing was ever bound, or there is no such profile.
 */
export async function currentLockfile(
  { store, kept }: ReadDeps,
  projectId: ProjectId,
  profile: string | undefined,
  isKnown: (digest: string) => boolean,
): Promise<Current> {
  const { content, staleSeconds }: Known = await kept.get(projectId, profile, '')
  if (content === null) throw noLockfile()
  const shown = content ?? (await largeLockfile(store, projectId, profile, isKnown))
  if (profile !== undefined && 'lockfile' in shown && !shown.lockfile.profiles.has(profile)) {
    throw new AppError('not-found', `The lockfile has no profile '${profile}'.`)
  }
  return staleSeconds === undefined ? { shown } : { shown, staleSeconds }
}

/** Its digest alone; null for a project without a lockfile. */
export async function findDigestNow(deps: ReadDeps, projectId: ProjectId): Promise<string | null> {
  try {
    const { shown } = await currentLockfile(deps, projectId, undefined, () => true)
    return 'digest' in shown ? shown.digest : shown.knownDigest
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return null
    throw error
  }
}

/** One that memory does not keep. Only its digest, without reading the rest, if the caller knows one already. */
async function largeLockfile(
  store: ReadDeps['store'],
  projectId: ProjectId,
  profile: string | undefined,
  isKnown: (digest: string) => boolean,
): Promise<Current['shown']> {
  const head = await store.findHead(projectId)
  if (head === undefined) throw noLockfile()
  const knownDigest = profile === undefined ? head.digests.find(isKnown) : undefined
  return knownDigest === undefined ? lockfileAt(store, projectId, head.revision, profile) : { knownDigest }
}

/** The lockfile that has, or had, this digest by any of the rules. Throws `not-found`. */
export async function lockfileOfDigest(
  { store }: Pick<ReadDeps, 'store'>,
  projectId: ProjectId,
  digest: string,
): Promise<Shown> {
  const revision = await store.findDigest(projectId, digest)
  if (revision === undefined) throw new AppError('not-found', 'No lockfile of this project has this digest.')
  return lockfileAt(store, projectId, revision)
}

async function lockfileAt(
  store: ReadDeps['store'],
  projectId: ProjectId,
  revision: number,
  profile?: string,
): Promise<Shown> {
  const [lock, bindings] = await Promise.all([
    store.lockAt(projectId, revision, profile),
    store.bindingsAt(projectId, revision, profile),
  ])
  // Erased meanwhile.
  if (lock === undefined) throw noLockfile()
  const lockfile = onlyProfile(lockfileOf(lock, bindings), profile)
  return { lockfile, digest: digestsOf(lockfile).current }
}

const noLockfile = () => new AppError('not-found', 'This project has no lockfile: nothing was ever bound.')
