import type { Sql } from '../../db/client.js'
import type { Clock } from '../../platform/clock.js'
import type { Feature } from '../contract.js'
import { currentLockfile, lockfileOfDigest } from './get-lockfile.js'
import type { Publish } from './publish.js'
import { putLockfile } from './put-lockfile.js'
import { type LockfileVerbs, mountLockfiles } from './routes.js'
import { createLockfileStore } from './store.js'

export type LockfilesDeps = {
  readonly sql: Sql
  readonly clock: Clock
  readonly publish: Publish
  readonly readNote: LockfileVerbs['readNote']
}

/** Whole lockfiles: published, shown, and opened by their digests. What they say is kept by whatever keeps aliases. */
export function createLockfiles({ sql, clock, publish, readNote }: LockfilesDeps) {
  const store = createLockfileStore(sql)
  return {
    name: 'lockfiles',
    mount: (app, guards) =>
      mountLockfiles(app, guards, {
        put: (input) => putLockfile({ publish, store, clock }, input),
        current: (projectId, profile, isKnown) => currentLockfile({ store }, projectId, profile, isKnown),
        ofDigest: (projectId, digest) => lockfileOfDigest({ store }, projectId, digest),
        readNote,
      }),
  } satisfies Feature
}
