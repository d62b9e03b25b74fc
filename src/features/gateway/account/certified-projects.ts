import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../../access/principal.js'
import { AppError } from '../../../platform/errors.js'
import { GATEWAY_LIMITS } from '../limits.js'
import type { CertifiesStore } from '../store.js'

/** Which projects want a receipt of each of their calls. */
export type CertifiedProjects = {
  /** From memory while that is fresh. Throws what the database throws if it was never known. */
  read(projectId: ProjectId): boolean | Promise<boolean>
  /** Holds here at once, and in other instances when what they know is no longer fresh. Throws `not-found`. */
  set(projectId: ProjectId, certifies: boolean): Promise<void>
  /** Forgets it here: a copy, and no row of the project. */
  forget(projectId: ProjectId): void
}

/** `reading` is under way; what it finds is not kept if something was set meanwhile. */
type Known = { certifies: boolean | undefined; readAtMs: number; reading: Promise<boolean> | null }

/**
 * What the projects set, read from the database by one statement a project and freshness, however many calls wait for it. If that
 * fails, what was known goes on for as long again; without that no call is made, since it might go uncertified.
 */
export function createCertifiedProjects(
  store: CertifiesStore,
  now: () => number,
  freshMs: number = GATEWAY_LIMITS.settingsFreshMs,
): CertifiedProjects {
  const known = new LRUCache<ProjectId, Known>({ max: GATEWAY_LIMITS.settingsProjectsMax })
  const readAgain = async (projectId: ProjectId, held: Known): Promise<boolean> => {
    try {
      const found = await store.find(projectId)
      const current = known.get(projectId)
      if (current === held) Object.assign(held, { certifies: found, readAtMs: now() })
      return current?.certifies ?? found
    } catch (error) {
      if (held.certifies === undefined) throw error
      held.readAtMs = now()
      return held.certifies
    } finally {
      held.reading = null
    }
  }
  return {
    read: (projectId) => {
      const held = known.get(projectId) ?? { certifies: undefined, readAtMs: 0, reading: null }
      if (held.certifies !== undefined && now() - held.readAtMs < freshMs) return held.certifies
      known.set(projectId, held)
      held.reading ??= readAgain(projectId, held)
      return held.reading
    },
    set: async (projectId, certifies) => {
      if (!(await store.set(projectId, certifies))) throw new AppError('not-found', 'The project is gone.')
      known.set(projectId, { certifies, readAtMs: now(), reading: null })
    },
    forget: (projectId) => void known.delete(projectId),
  }
}
