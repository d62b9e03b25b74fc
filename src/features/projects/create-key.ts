import { v7 as uuidv7 } from 'uuid'
import type { ProjectId, Role } from '../../access/principal.js'
import type { Transact, Tx } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import { displayPrefix, type KeyHashing, makeKeyText } from './key-text.js'
import { PROJECT_LIMITS } from './limits.js'
import type { ProjectKey, ProjectStore } from './store.js'

export type CreateKeyDeps = { readonly transact: Transact; readonly store: ProjectStore; readonly hashing: KeyHashing }
export type CreateKeyInput = {
  /** Null: of a new project of the same name. */
  readonly projectId: ProjectId | null
  readonly name: string | null
  readonly role: Role
}

/**
 * A new key of a project; its text is in this answer and nowhere else. Throws `not-found`, and `conflict` at the limit.
 * Crash before the commit: neither the key is there nor a project that was to be made for it.
 */
export async function createKey(
  deps: CreateKeyDeps,
  input: CreateKeyInput,
): Promise<ProjectKey & { readonly key: string }> {
  const key = makeKeyText()
  const hash = deps.hashing.hash(key)
  return deps.transact(async (tx) => {
    const projectId = await (input.projectId === null
      ? makeProject(deps, tx, input.name)
      : claimPlace(deps, tx, input.projectId))
    const { name, role } = input
    const made = await deps.store.insertKey(tx, projectId, {
      hash,
      pepperId: deps.hashing.pepperId,
      prefix: displayPrefix(key),
      name,
      role,
    })
    // A fresh random key has a hash of its own: that it exists already is an answer that is not true.
    return made === undefined ? unconfirmed() : { ...made, key }
  })
}

function unconfirmed(): never {
  throw new AppError('database-unavailable', 'The database did not confirm the key.', { retryAfterSeconds: 1 })
}

async function makeProject({ store }: CreateKeyDeps, tx: Tx, name: string | null): Promise<ProjectId> {
  return (await store.insertProject(tx, uuidv7() as ProjectId, name, 'made')).id
}

/** Locks the project until the key is in it, so that it has no more keys than it may. */
async function claimPlace({ store }: CreateKeyDeps, tx: Tx, id: ProjectId): Promise<ProjectId> {
  const project = await store.lockProject(tx, id)
  if (project === undefined) throw new AppError('not-found', 'There is no such project.')
  const { keysPerProjectMax } = PROJECT_LIMITS
  if ((await store.countKeys(tx, project.id)) < keysPerProjectMax) return project.id
  throw new AppError('conflict', `A project has at most ${keysPerProjectMax} keys, revoked ones included.`)
}
