import { v7 as uuidv7 } from 'uuid'
import type { Principal, ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import { invariant } from '../../platform/invariant.js'
import type { RateLimit } from '../../platform/rate-limit.js'
import { inventedPrefix, type KeyHashing } from './key-text.js'
import type { ProjectStore } from './store.js'

export type SettleDeps = {
  readonly transact: Transact
  readonly store: ProjectStore
  readonly hashing: KeyHashing
  /** The cap on new projects a minute, all callers together; undefined where there is none. */
  readonly newProjects: RateLimit | undefined
  readonly forget: (hash: string) => void
}

/**
 * Gives a key that is new here its empty project (open mode, first write). Two first writes at once give one project.
 * Throws `too-many-requests` beyond the cap, `key-unknown` where the key was revoked meanwhile.
 */
export async function settleProject(deps: SettleDeps, principal: Principal): Promise<Principal> {
  const { newKey } = principal
  invariant(newKey !== null, 'only a new key is given a project')
  await deps.newProjects?.('all')
  const { hash } = newKey
  const key = {
    hash,
    pepperId: deps.hashing.pepperId,
    prefix: inventedPrefix(hash),
    name: null,
    role: 'write' as const,
  }
  // Crash after the commit: an empty project whose first write never came; the next write with the key finds it.
  const made = await deps.transact(async (tx) => {
    const projectId = uuidv7() as ProjectId
    const inserted = await deps.store.insertKey(tx, projectId, key)
    if (inserted !== undefined) await deps.store.insertProject(tx, projectId, null, 'open')
    return inserted
  })
  deps.forget(hash)
  if (made !== undefined) return { projectId: made.projectId, role: made.role, keyId: made.id, newKey: null }
  const found = await deps.store.findKey([hash])
  if (found === undefined) {
    // Keys are never deleted: neither inserted nor there before means that the answer to the insert was not true.
    const detail = 'The database did not confirm the new project; send the request again.'
    throw new AppError('database-unavailable', detail, { retryAfterSeconds: 1 })
  }
  if (found.revoked) throw new AppError('key-unknown', 'The key is unknown or was revoked.')
  return { projectId: found.projectId, role: found.role, keyId: found.keyId, newKey: null }
}
