import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../access/principal.js'
import { boundedThreshold } from '../../core/routing/index.js'
import type { Redis } from '../../platform/redis.js'
import { GATEWAY_LIMITS } from './limits.js'

/** What each project's feedback has taught. */
export type Thresholds = {
  /** From memory while that is fresh. */
  read(projectId: ProjectId): number | Promise<number>
  /** Moves it by a step, inside its bounds, and tells what it is then. */
  move(projectId: ProjectId, step: number): Promise<number>
  erase(projectId: ProjectId): Promise<number>
}

/** KEYS: the project's threshold; ARGV: what it is at first, the step, the bounds, milliseconds to live. */
const MOVE = `
local moved = tonumber(redis.call('get', KEYS[1]) or ARGV[1]) + ARGV[2]
moved = math.min(math.max(moved, tonumber(ARGV[3])), tonumber(ARGV[4]))
local text = string.format('%.6f', moved)
redis.call('set', KEYS[1], text, 'PX', ARGV[5])
return text
`

type Known = { readonly threshold: number; readonly readAtMs: number }

/**
 * Thresholds that instances share, where there is a Redis; it moves them, so that no step is lost between instances. A
 * Redis that is away is no error: each instance goes on with what it knows, and learns for itself.
 */
export function createThresholds(
  redis: Redis | undefined,
  first: number,
  now: () => number,
  freshMs: number = GATEWAY_LIMITS.thresholdFreshMs,
): Thresholds {
  const known = new LRUCache<ProjectId, Known>({ max: GATEWAY_LIMITS.thresholdProjectsMax })
  const keyOf = (projectId: ProjectId) => `llmring:threshold:{${projectId}}`
  const keep = (projectId: ProjectId, threshold: number): number => {
    known.set(projectId, { threshold, readAtMs: now() })
    return threshold
  }
  const last = (projectId: ProjectId): number => known.get(projectId)?.threshold ?? first
  return {
    read: (projectId) => {
      const held = known.get(projectId)
      if (redis === undefined || (held !== undefined && now() - held.readAtMs < freshMs))
        return held?.threshold ?? first
      return redis
        .get(keyOf(projectId))
        .then((text) => keep(projectId, text === null ? first : boundedThreshold(Number(text))))
        .catch(() => keep(projectId, last(projectId)))
    },
    move: async (projectId, step) => {
      const alone = () => keep(projectId, boundedThreshold(last(projectId) + step))
      if (redis === undefined) return alone()
      const bounds = [boundedThreshold(0), boundedThreshold(1)]
      try {
        const text = await redis.eval(MOVE, 1, keyOf(projectId), first, step, ...bounds, GATEWAY_LIMITS.thresholdKeptMs)
        return keep(projectId, Number(text))
      } catch {
        return alone()
      }
    },
    erase: async (projectId) => {
      const held = known.delete(projectId)
      // What is out of reach is a number without a name, and expires by itself.
      const gone = redis === undefined ? 0 : await redis.del(keyOf(projectId)).catch(() => 0)
      return gone > 0 || held ? 1 : 0
    },
  }
}
