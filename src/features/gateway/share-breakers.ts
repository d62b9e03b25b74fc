import { createHash } from 'node:crypto'
import { type Backend, backendName } from '../../core/routing/index.js'
import { every, type Periodic } from '../../platform/every.js'
import type { Logger } from '../../platform/logger.js'
import type { Redis } from '../../platform/redis.js'
import type { Provider } from './config/providers.js'
import { GATEWAY_LIMITS } from './limits.js'

const KEY = 'llmring:breakers'

/** The clock is that of Redis: those of instances differ. ARGV: the backend, how long it stays open, the most, to live. */
const TELL = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
redis.call('zadd', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('zremrangebyrank', KEYS[1], 0, -1 - ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[4])
return 1
`
/** ARGV: the most. The open ones, each with the milliseconds that are left. */
const HEAR = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open = redis.call('zrangebyscore', KEYS[1], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[1])
for at = 2, #open, 2 do open[at] = open[at] - now end
return open
`

export type SharedBreakers = {
  /** Lets other instances know that a breaker opened here. Waits for nothing. */
  tell(backend: Backend, openMs: number): void
  /** Says, again and again, which ones are open elsewhere, or here. */
  hear(heard: (name: string, openMs: number) => void): Periodic
}

/**
 * What instances tell one another of their breakers, through Redis. Each asks once a second, for a bounded number; so one
 * that has just started hears, too. Without Redis each finds out for itself, as if it were alone. A backend is known by
 * its name and its address: another one of that name is another one.
 */
export function createSharedBreakers(redis: Redis, providers: readonly Provider[], logger: Logger): SharedBreakers {
  const { hintsMax, hintsKeptMs, hintsPauseMs } = GATEWAY_LIMITS
  const digests = new Map<string, string>()
  const names = new Map<string, string>()
  for (const { baseUrl, backends } of providers) {
    for (const name of backends.map(backendName)) {
      const digest = createHash('sha256').update(`${name}\n${baseUrl}`).digest('base64url')
      digests.set(name, digest)
      names.set(digest, name)
    }
  }
  return {
    tell: (backend, openMs) => {
      const digest = digests.get(backendName(backend)) ?? ''
      redis.eval(TELL, 1, KEY, digest, Math.ceil(openMs), hintsMax, hintsKeptMs).catch(() => undefined)
    },
    hear: (heard) => {
      const run = async () => {
        const open = await redis.eval(HEAR, 1, KEY, hintsMax).catch(() => [])
        for (const [digest, openMs] of pairsOf(open)) {
          const name = names.get(digest)
          if (name !== undefined) heard(name, openMs)
        }
      }
      return every({ name: 'hear of open breakers', run, pauseMs: hintsPauseMs, logger })
    },
  }
}

function pairsOf(list: unknown): readonly (readonly [string, number])[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((item, at) => (at % 2 === 0 ? [[String(item), Number(list[at + 1])] as const] : []))
}
