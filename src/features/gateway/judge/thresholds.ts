import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../../access/principal.js'
import { boundedThreshold } from '../../../core/routing/index.js'
import { GATEWAY_LIMITS } from '../limits.js'
import type { ThresholdStore } from '../store.js'

/** What each project's feedback has taught. */
export type Thresholds = {
  /** From memory while that is fresh. */
  read(projectId: ProjectId): number | Promise<number>
  /** Moves it by a step, inside its bounds, and tells what it is then. Throws `database-unavailable`. */
  move(projectId: ProjectId, step: number): Promise<number>
  /** Forgets it here. */
  forget(projectId: ProjectId): number
}

type Known = { readonly threshold: number; readonly readAtMs: number }

/**
 * Thresholds that instances share, and that outlive them: the database moves them, so that no step is lost between
 * instances. A read that fails is no error: what was known goes on, for as long again.
 */
export function createThresholds(
  store: ThresholdStore,
  first: number,
  now: () => number,
  freshMs: number = GATEWAY_LIMITS.thresholdFreshMs,
): Thresholds {
  const known = new LRUCache<ProjectId, Known>({ max: GATEWAY_LIMITS.thresholdProjectsMax })
  const keep = (projectId: ProjectId, threshold: number): number => {
    known.set(projectId, { threshold, readAtMs: now() })
    return threshold
  }
  const last = (projectId: ProjectId): number => known.get(projectId)?.threshold ?? first
  return {
    read: (projectId) => {
      const held = known.get(projectId)
      if (held !== undefined && now() - held.readAtMs < freshMs) return held.threshold
      return store
        .find(projectId)
        .then((learned) => keep(projectId, learned === undefined ? first : boundedThreshold(learned)))
        .catch(() => keep(projectId, last(projectId)))
    },
    move: async (projectId, step) => {
      const moved = await store.move(projectId, first, step, boundedThreshold(0), boundedThreshold(1))
      return moved === undefined ? first : keep(projectId, moved)
    },
    forget: (projectId) => (known.delete(projectId) ? 1 : 0),
  }
}
