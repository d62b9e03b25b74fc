import { AliasError } from './alias-error.js'
import type { ClientLimits } from './limits.js'
import { pollChanges, pollList, type Reading, streamChanges } from './read-changes.js'

/** How changes come: as a stream, by polls that the server holds or answers at once, or with the whole list. */
type Way = 'stream' | 'held-poll' | 'poll' | 'list'

/** How a follower fares: `away` while the server cannot be asked, with the reason. */
export type FollowState =
  | { readonly status: 'live'; readonly by: Way }
  | { readonly status: 'away'; readonly error: AliasError }

export type Following = Reading & {
  readonly onState: (state: FollowState) => void
  /** From 0 to 1: what spreads those who lost the same server. */
  readonly random: () => number
}

/** The way that is left, and how long it is gone before the best one is tried again. */
const INSTEAD = {
  stream: { absent: 'held-poll', busy: 'poll' },
  'held-poll': { absent: 'list', busy: 'poll' },
  poll: { absent: 'list', busy: 'poll' },
} as const satisfies Record<Exclude<Way, 'list'>, Record<'absent' | 'busy', Way>>

/**
 * Keeps a mirror equal to the server's for as long as its signal is not aborted. It resumes where it stood, and waits
 * longer after each failure in a row. Never rejects.
 */
export async function follow(following: Following): Promise<void> {
  const { signal, random, mirror, limits } = following
  let failures = 0
  let way: Way = 'stream'
  let wayUntil = Number.POSITIVE_INFINITY
  let etag: string | undefined
  const onLive = (by: Way) => {
    failures = 0
    following.onState({ status: 'live', by })
  }
  const settleFor = (outcome: 'absent' | 'busy', from: Exclude<Way, 'list'>): number => {
    way = INSTEAD[from][outcome]
    wayUntil = Date.now() + (outcome === 'busy' ? limits.busyMs : limits.streamRetryMs)
    return 0
  }

  /** Reads once, or for as long as a stream lasts; gives the time to wait before the next turn. */
  const turn = async (): Promise<number> => {
    if (Date.now() >= wayUntil) way = 'stream'
    if (way === 'list') {
      etag = await pollList(following, etag)
      onLive('list')
      return limits.listPauseMs
    }
    const isNew = mirror.position() === undefined
    if (way === 'stream' && !isNew) {
      const { outcome, retryMs = limits.backoffFirstMs } = await streamChanges(following, () => onLive('stream'))
      return outcome === 'read' ? retryMs : settleFor(outcome, way)
    }
    // A stream begins where a first, whole answer ends: so it is known when everything was read.
    const outcome = await pollChanges(following, way === 'held-poll' && !isNew)
    if (outcome !== 'read') return settleFor(outcome, way)
    onLive(way)
    if (isNew) return 0
    return way === 'poll' ? limits.listPauseMs : limits.backoffFirstMs
  }

  while (!signal.aborted) {
    try {
      await pause(jittered(await turn(), random), signal)
    } catch (error) {
      if (signal.aborted) return
      following.onState({ status: 'away', error: asAliasError(error, following.api.where) })
      await pause(backoffMs(limits, ++failures, random), signal)
    }
  }
}

/** Doubles with each failure in a row, up to a limit; spread over its upper half. */
export function backoffMs(limits: ClientLimits, failures: number, random: () => number): number {
  const whole = limits.backoffFirstMs * 2 ** Math.min(failures - 1, 20)
  return jittered(Math.min(limits.backoffMsMax, whole), random)
}

const jittered = (ms: number, random: () => number): number => ms * (0.5 + random() / 2)

const asAliasError = (error: unknown, where: string): AliasError =>
  error instanceof AliasError
    ? error
    : new AliasError('server-unreachable', `${where} sent a response that cannot be read.`, { cause: error })

/** Ends early, and without a word, if the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
