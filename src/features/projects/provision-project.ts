import { v7 as uuidv7 } from 'uuid'
import type { Principal, ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { invariant } from '../../platform/invariant.js'
import type { RateLimit } from '../../platform/rate-limit.js'
import { inventedPrefix, type KeyHashing } from './key-text.js'
import type { ProjectStore } from './store.js'

export type ProvisionDeps = {
  readonly transact: Transact
  readonly store: Pick<ProjectStore, 'insertKey' | 'insertProject' | 'findKey'>
  readonly hashing: KeyHashing
  /** The cap on new projects a minute, all callers together; undefined if there is none. */
  readonly newProjects: RateLimit | undefined
  readonly forget: (hash: string) => void
  /** Never goes back. */
  readonly clock: Clock
}

/** Gives a key that is new here its empty project (open mode, first write), and says who the key is now. */
export type ProvisionProject = (principal: Principal) => Promise<Principal>

/**
 * First writes with one key give one project and take one token of the cap, however many there are at once: those of
 * this instance share one transaction, and of several instances only the one whose insert won takes a token. Throws
 * `too-many-requests` beyond the cap, `key-unknown` if the key was revoked meanwhile.
 */
export function createProvisionProject(deps: ProvisionDeps): ProvisionProject {
  const underWay = new Map<string, Promise<Principal>>()
  let refusedUntil = Number.NEGATIVE_INFINITY

  const provision = async (hash: string): Promise<Principal> => {
    const waitMs = refusedUntil - deps.clock()
    // While the cap is used up, new keys must not cost a transaction each; another instance may have made this one.
    if (waitMs > 0) return (await findPrincipal(deps, hash)) ?? refuse(waitMs)
    try {
      const principal = (await insert(deps, hash)) ?? (await findPrincipal(deps, hash)) ?? unconfirmed()
      deps.forget(hash)
      return principal
    } catch (error) {
      if (error instanceof AppError && error.code === 'too-many-requests') {
        refusedUntil = deps.clock() + (error.extras.retryAfterSeconds ?? 0) * 1000
      }
      throw error
    }
  }

  return ({ newKey }) => {
    invariant(newKey !== null, 'only a new key is given a project')
    const { hash } = newKey
    const pending = underWay.get(hash)
    if (pending !== undefined) return pending
    const fresh = provision(hash).finally(() => underWay.delete(hash))
    underWay.set(hash, fresh)
    return fresh
  }
}

/** Undefined if the key is there already. */
function insert(deps: ProvisionDeps, hash: string): Promise<Principal | undefined> {
  const { hashing, store } = deps
  const key = { hash, pepperId: hashing.pepperId, prefix: inventedPrefix(hash), name: null, role: 'write' as const }
  const projectId = uuidv7() as ProjectId
  // Crash after the commit: an empty project whose first write never came; the next write with the key finds it.
  return deps.transact(async (tx) => {
    const inserted = await store.insertKey(tx, projectId, key)
    if (inserted === undefined) return undefined
    // A refusal takes the key back with it.
    await deps.newProjects?.('all')
    await store.insertProject(tx, projectId, null, 'open')
    return { projectId, role: inserted.role, keyId: inserted.id, newKey: null }
  })
}

async function findPrincipal({ store }: ProvisionDeps, hash: string): Promise<Principal | undefined> {
  const found = await store.findKey([hash])
  if (found?.revoked === true) throw new AppError('key-unknown', 'The key is unknown or was revoked.')
  return found && { projectId: found.projectId, role: found.role, keyId: found.keyId, newKey: null }
}

function refuse(waitMs: number): never {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  throw new AppError('too-many-requests', 'No more new projects this minute.', { retryAfterSeconds })
}

/** Keys are never deleted: neither inserted nor there before means that the answer to the insert was not true. */
function unconfirmed(): never {
  const detail = 'The database did not confirm the new project; send the request again.'
  throw new AppError('database-unavailable', detail, { retryAfterSeconds: 1 })
}
