import type { ProjectId } from '../../../access/principal.js'
import type { Redis } from '../../../platform/redis.js'
import type { AnswerStore } from './memory-answers.js'

/**
 * Keeps an entry and forgets the oldest beyond the limit, in one turn. KEYS: the entry and its project's index, which
 * share a hash tag and so a slot; ARGV: value, milliseconds to live, now, entries at most.
 */
const KEEP = `
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('zremrangebyscore', KEYS[2], '-inf', '(' .. ARGV[3])
redis.call('zadd', KEYS[2], ARGV[3] + ARGV[2], KEYS[1])
local over = redis.call('zcard', KEYS[2]) - ARGV[4]
if over > 0 then
  local old = redis.call('zpopmin', KEYS[2], over)
  for at = 1, #old, 2 do redis.call('del', old[at]) end
end
if redis.call('pttl', KEYS[2]) < tonumber(ARGV[2]) then redis.call('pexpire', KEYS[2], ARGV[2]) end
return over
`

/**
 * Answers that instances share, a bounded number of each project, the soonest to expire going first. A Redis that is
 * away or slow is no error: there is no answer then, and none is kept. Its client gives up a command by itself.
 */
export function createRedisAnswers(redis: Redis, entriesMax: number, now: () => number): AnswerStore {
  const keyOf = (projectId: ProjectId, digest: string) => `llmring:answers:{${projectId}}:${digest}`
  return {
    get: async (projectId, digest) => redis.get(keyOf(projectId, digest)).catch(() => null),
    set: async (projectId, digest, value, ttlMs) => {
      const keys = [keyOf(projectId, digest), keyOf(projectId, 'index')] as const
      await redis.eval(KEEP, 2, ...keys, value, ttlMs, now(), entriesMax).catch(() => undefined)
    },
    erase: async (projectId, most) => {
      const index = keyOf(projectId, 'index')
      try {
        const gone = await redis.zrange(index, '0', String(most - 1))
        if (gone.length > 0) await redis.multi().del(gone).zrem(index, gone).exec()
        return gone.length
      } catch {
        // They are out of reach without the project's keys, and expire by themselves.
        return 0
      }
    },
  }
}
