import { expireAfter } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { HTTP_LIMITS } from './limits.js'

export type ReadTurnLimits = {
  readonly atOnceMax: number
  /** Of these, those of one caller. */
  readonly callerAtOnceMax: number
  readonly waitMsMax: number
}

/** Expensive reads (a list, an export's next page, sums) are made in turn, and callers take turns among each other. */
export type ReadTurns = {
  /**
   * The outcome of `read`, which begins in its caller's turn and ends it when it settles. Throws `overloaded` after
   * `waitMsMax`, and if the signal comes before the turn.
   */
  run<T>(caller: string, signal: AbortSignal, read: () => Promise<T> | T): Promise<T>
}

/** The turns of a service. */
export function createServiceReadTurns(): ReadTurns {
  const { readsAtOnceMax, readsOfCallerAtOnceMax, readWaitMsMax } = HTTP_LIMITS
  return createReadTurns({
    atOnceMax: readsAtOnceMax,
    callerAtOnceMax: readsOfCallerAtOnceMax,
    waitMsMax: readWaitMsMax,
  })
}

/** What one caller does; its reads wait in the order in which they came. */
type Caller = { readonly waiting: Set<() => void>; reading: number }

/**
 * So many reads at a time, of one caller fewer: the next one belongs to the caller whose last turn is longest ago. The
 * rows of all that the pool has connections for would come at once: 2,000 pipelined lists of one project held the event
 * loop, and with it everything else, for 20 s.
 */
export function createReadTurns({ atOnceMax, callerAtOnceMax, waitMsMax }: ReadTurnLimits): ReadTurns {
  /** Those who read or wait to, in the order of their last turns. */
  const callers = new Map<string, Caller>()
  let reading = 0

  const moveToEnd = (name: string, caller: Caller) => {
    callers.delete(name)
    if (caller.reading > 0 || caller.waiting.size > 0) callers.set(name, caller)
  }
  const startNext = () => {
    for (const [name, caller] of callers) {
      if (reading >= atOnceMax) return
      const [start] = caller.waiting
      if (start === undefined || caller.reading >= callerAtOnceMax) continue
      caller.waiting.delete(start)
      caller.reading += 1
      reading += 1
      moveToEnd(name, caller)
      start()
    }
  }
  const end = (name: string, caller: Caller) => {
    caller.reading -= 1
    reading -= 1
    moveToEnd(name, caller)
    startNext()
  }
  const wait = (name: string, caller: Caller, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const settle = () => {
        cancelWait()
        signal.removeEventListener('abort', giveUp)
      }
      const start = () => {
        settle()
        resolve()
      }
      const giveUp = () => {
        settle()
        caller.waiting.delete(start)
        if (caller.reading === 0 && caller.waiting.size === 0) callers.delete(name)
        reject(new AppError('overloaded', 'Too many lists are being read.', { retryAfterSeconds: 1 }))
      }
      const cancelWait = expireAfter(waitMsMax, giveUp)
      caller.waiting.add(start)
      signal.addEventListener('abort', giveUp)
      if (signal.aborted) giveUp()
      else startNext()
    })

  return {
    run: async (name, signal, read) => {
      const caller = callers.get(name) ?? { waiting: new Set(), reading: 0 }
      callers.set(name, caller)
      await wait(name, caller, signal)
      try {
        return await read()
      } finally {
        end(name, caller)
      }
    },
  }
}
