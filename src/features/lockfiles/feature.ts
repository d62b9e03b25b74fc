import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Clock } from '../../platform/clock.js'
import type { Feature } from '../contract.js'
import { currentLockfile, findDigestNow, lockfileOfDigest } from './get-lockfile.js'
import { type Keep, lockfileKind } from './kept-lockfile.js'
import type { Publish } from './publish.js'
import { putLockfile } from './put-lockfile.js'
import { type LockfileVerbs, mountLockfiles } from './routes.js'
import { createLockfileStore } from './store.js'

export type LockfilesDeps = {
  readonly sql: Sql
  readonly clock: Clock
  readonly publish: Publish
  readonly readNote: LockfileVerbs['readNote']
  readonly keep: Keep
  readonly markStale: LockfileVerbs['markStale']
}

/** Whole lockfiles: published, shown, and opened by their digests. What they say is kept by whatever keeps aliases. */
export function createLockfiles({ sql, clock, publish, readNote, keep, markStale }: LockfilesDeps) {
  const store = createLockfileStore(sql)
  const kept = keep(lockfileKind(store.readNow))
  return {
    name: 'lockfiles',
    mount: (app, guards) =>
      mountLockfiles(app, guards, {
        put: (input) => putLockfile({ publish, store, clock }, input),
        current: (projectId, profile, isKnown) => currentLockfile({ store, kept }, projectId, profile, isKnown),
        ofDigest: (projectId, digest) => lockfileOfDigest({ store }, projectId, digest),
        ...{ readNote, markStale },
      }),
    /** The digest of the lockfile that holds; null for a project without one. */
    findLockDigest: (projectId: ProjectId) => findDigestNow({ store, kept }, projectId),
  } satisfies Feature & Record<string, unknown>
}
