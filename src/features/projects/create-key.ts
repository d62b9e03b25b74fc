import type { ProjectId, Role } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import { displayPrefix, type KeyHashing, makeKeyText } from './key-text.js'
import { PROJECT_LIMITS } from './limits.js'
import type { ProjectKey, ProjectStore } from './store.js'

export type CreateKeyDeps = { readonly transact: Transact; readonly store: ProjectStore; readonly hashing: KeyHashing }
export type CreateKeyInput = { readonly projectId: ProjectId; readonly name: string | null; readonly role: Role }

/**
 * A new key of a project; its text is in this answer and nowhere else. Throws `not-found`, and `conflict` at the limit.
 */
export async function createKey(
  deps: CreateKeyDeps,
  input: CreateKeyInput,
): Promise<ProjectKey & { readonly key: string }> {
  const key = makeKeyText()
  const hash = deps.hashing.hash(key)
  const made = await deps.transact(async (tx) => {
    const project = await deps.store.lockProject(tx, input.projectId)
    if (project === undefined) throw new AppError('not-found', 'There is no such project.')
    if ((await deps.store.countKeys(tx, project.id)) >= PROJECT_LIMITS.keysPerProjectMax) {
      throw new AppError(
        'conflict',
        `A project has at most ${PROJECT_LIMITS.keysPerProjectMax} keys, revoked ones included.`,
      )
    }
    const { name, role } = input
    return deps.store.insertKey(tx, project.id, {
      hash,
      pepperId: deps.hashing.pepperId,
      prefix: displayPrefix(key),
      name,
      role,
    })
  })
  if (made === undefined) {
    // A fresh random key has a hash of its own: that it exists already is an answer that is not true.
    throw new AppError('database-unavailable', 'The database did not confirm the key.', { retryAfterSeconds: 1 })
  }
  return { ...made, key }
}
