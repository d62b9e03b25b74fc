import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, monotonicClock } from '../platform/clock.js'
import { DeadlineExceeded, deadline } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { TRUST_LIMITS } from '../platform/limits.js'
import type { Logger } from '../platform/logger.js'
import type { Reach } from '../platform/reach.js'
import { classifyFailure } from './failure.js'
import { DATABASE_LIMITS } from './limits.js'

export type ReachDeps = {
  /** Whether the database answers a question within so many milliseconds. */
  readonly answers: (msMax: number) => Promise<boolean>
  /** How long ago the listener, which has a connection of its own, was last heard. */
  readonly ageMs: () => number
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly clock?: Clock
}

const { probeMsMax, probePauseMs, awayPauseMs, undecidedMsMax, questionsMax } = DATABASE_LIMITS

/**
 * The database is away once it answers no probe while the listener is silent, too. A pool that is merely full leaves the
 * listener alone: only after three seconds without any answer it counts as away. One line when that begins, one when it
 * ends.
 */
export function createReach(deps: ReachDeps): Reach & { close(): void } {
  const absence = createAbsence(deps)

  /** Whether it is worth asking again. */
  const isLostConnection = async (error: unknown, hasLastKnown: boolean): Promise<boolean> => {
    if (classifyFailure(error) !== 'unavailable') return false
    const decided = absence.decide()
    return hasLastKnown && (await decided)
  }

  return {
    isAway: absence.isNow,
    ask: async (question, hasLastKnown) => {
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = await (hasLastKnown ? unlessAway(question(), absence.decide) : question())
          absence.end()
          return answer
        } catch (error) {
          if (!(await isLostConnection(error, hasLastKnown)) || attempt === questionsMax) throw error
        }
      }
    },
    close: absence.close,
  }
}

/** The answer; or a rejection, sooner than the limits of every statement allow, if the database is found to be away. */
async function unlessAway<T>(answer: Promise<T>, decide: () => Promise<boolean>): Promise<T> {
  try {
    return await deadline(answer, probeMsMax)
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error
    if (await decide()) return answer
    throw new AppError('database-unavailable', 'The database does not answer right now.', { retryAfterSeconds: 1 })
  }
}

/** The state itself, and the probes that decide it. */
function createAbsence({ answers, ageMs, logger, clock = monotonicClock }: ReachDeps) {
  let since: number | undefined
  let deciding: Promise<boolean> | undefined
  let closed = false

  const end = (): void => {
    if (since === undefined) return
    logger.info({ seconds: Math.round((clock() - since) / 100) / 10 }, 'the database answers again')
    since = undefined
  }
  const watch = async (): Promise<void> => {
    while (since !== undefined && !closed) {
      await sleep(awayPauseMs, undefined, { ref: false })
      if (!closed && (await answers(probeMsMax))) end()
    }
  }
  const look = async (): Promise<boolean> => {
    const begun = clock()
    while (!closed) {
      if (await answers(probeMsMax)) return true
      if (ageMs() >= TRUST_LIMITS.keysTrustedMs || clock() - begun >= undecidedMsMax) break
      await sleep(probePauseMs, undefined, { ref: false })
    }
    if (closed) return false
    since = clock()
    logger.warn({}, 'the database is away: what is known is answered from memory')
    void watch()
    return false
  }

  return {
    isNow: () => since !== undefined,
    /** True once the database answers, false once it is away. */
    decide: (): Promise<boolean> => {
      if (since !== undefined) return Promise.resolve(false)
      deciding ??= look().finally(() => {
        deciding = undefined
      })
      return deciding
    },
    end,
    close: (): void => {
      closed = true
    },
  }
}
