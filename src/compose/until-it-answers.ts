import { setTimeout as pause } from 'node:timers/promises'
import { classifyFailure } from '../db/failure.js'
import { Aborted, abortable } from '../platform/abortable.js'
import { describeError, type Logger } from '../platform/logger.js'

export type Patience = {
  readonly logger: Pick<Logger, 'warn'>
  /** Counted from the first try; 0: one try. */
  readonly msMax: number
  readonly pauseMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Tries again while the database is away. Once the signal is given nothing is tried any more, and `Aborted` is thrown.
 */
export async function untilItAnswers<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  const { logger, msMax, pauseMs, signal } = patience
  const giveUpAt = performance.now() + msMax
  for (;;) {
    if (signal?.aborted) throw new Aborted()
    try {
      return await work()
    } catch (error) {
      if (classifyFailure(error) !== 'unavailable' || performance.now() >= giveUpAt) throw error
      logger.warn({ reason: describeError(error)['message'] }, 'the database does not answer yet; trying again')
      await abortable(pause(pauseMs, undefined, signal === undefined ? {} : { signal }), signal)
    }
  }
}
