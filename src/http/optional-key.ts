import { NO_PROJECT, type Principal, type ProjectId, READS_RECEIPTS } from '../access/principal.js'
import { AppError } from '../platform/errors.js'
import type { ProblemCode } from '../platform/problem-catalogue.js'
import { presentedKey, type ReadHeader } from './presented-key.js'

/** What is wrong with a key that a public route does not ask for. */
const UNUSABLE: readonly ProblemCode[] = ['key-required', 'key-unknown', 'malformed-key', 'conflicting-keys']

/**
 * The project whose key a request to a public route presents; null if it presents none that is known and may read
 * receipts: nothing is refused for it. Throws if that cannot be found out.
 */
export async function optionalProject(
  authenticate: (key: string, purpose: 'read') => Principal | Promise<Principal>,
  header: ReadHeader,
): Promise<ProjectId | null> {
  try {
    const { projectId, role } = await authenticate(presentedKey(header), 'read')
    const mayRead = READS_RECEIPTS.kind === 'project' && READS_RECEIPTS.roles.includes(role)
    return projectId === NO_PROJECT || !mayRead ? null : projectId
  } catch (error) {
    if (error instanceof AppError && UNUSABLE.includes(error.code)) return null
    throw error
  }
}
