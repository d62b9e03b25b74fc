import { describeError } from '../../../platform/logger.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'

/** What is said of turns that fail; a logger does. */
export type TurnsLog = {
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
}

export type TurnsDeps = {
  /** Resolves to the milliseconds until the next turn is due. */
  readonly turn: () => Promise<number>
  readonly now: () => number
  readonly logger: TurnsLog
}

export type Turns = {
  /** Resolves after the first turn, whatever came of it. */
  start(): Promise<void>
  /** The next turn is due in so many milliseconds at the latest. Before the start this asks for nothing. */
  wake(ms: number): void
  /** Resolves when the turn that is under way is over; no other begins. */
  stop(): Promise<void>
}

/** Takes turns, one at a time. After one that fails the next is due after a poll's pause. */
export function createTurns(deps: TurnsDeps): Turns {
  const { now } = deps
  const attempt = createAttempt(deps)
  let timer: NodeJS.Timeout | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let turning: Promise<void> | undefined
  let isStarted = false
  let isStopped = false

  const wake = (ms: number): void => {
    if (!isStarted || isStopped || now() + ms >= dueAt) return
    clearTimeout(timer)
    dueAt = now() + ms
    // While a turn is under way, the next one is armed when it is over.
    if (turning === undefined) timer = setTimeout(begin, ms).unref()
  }
  const begin = (): void => {
    dueAt = Number.POSITIVE_INFINITY
    turning = attempt().then((pauseMs) => {
      turning = undefined
      const askedMs = Math.max(0, dueAt - now())
      dueAt = Number.POSITIVE_INFINITY
      wake(Math.min(pauseMs, askedMs))
    })
  }

  return {
    wake,
    start: async () => {
      // What a turn relies on is read before the start: an earlier one would act on less.
      isStarted = true
      begin()
      await turning
    },
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await turning
    },
  }
}

/** Of failures in a row the first is logged, and the turn that ends them. */
function createAttempt({ turn, logger }: TurnsDeps): () => Promise<number> {
  let failures = 0
  return async () => {
    try {
      const pauseMs = await turn()
      if (failures > 0) logger.info({ failures }, 'the log is looked after again')
      failures = 0
      return pauseMs
    } catch (error) {
      failures += 1
      if (failures === 1) {
        logger.warn({ error: describeError(error) }, 'the log could not be looked after; trying again')
      }
      return TRANSPARENCY_LIMITS.pollMs
    }
  }
}
