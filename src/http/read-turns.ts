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
   * `waitMsMax`, and if the signal comes before the turn. `isBegun`: it goes on with what an earlier turn began, and
   * comes before the caller's others, which would each hold their first page meanwhile.
   */
  run<T>(caller: string, signal: AbortSignal, read: () => Promise<T> | T, isBegun?: boolean): Promise<T>
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

/** What one caller does; its reads wait in the order in which they came, those that go on first. */
type Caller = { readonly begun: Set<() => void>; readonly waiting: Set<() => void>; reading: number }

/**
 * So many reads at a time, of one caller fewer: the next one belongs to the caller whose last turn is longest ago. The
 * rows of all that the pool has connections for would come at once: 2,000 pipelined lists of one project held the event
 * loop, and with it everything else, for 20 s.
 */
export function createReadTurns({ atOnceMax, callerAtOnceMax, waitMsMax }: ReadTurnLimits): ReadTurns {
  /** Those who read or wait to, in the order of their last turns. */
  const callers = new Map<string, Caller>()
  let reading = 0

  const forget = (name: string, caller: Caller) => {
    const isIdle = caller.reading + caller.begun.size + caller.waiting.size === 0
    if (isIdle && callers.get(name) === caller) callers.delete(name)
  }
  const moveToEnd = (name: string, caller: Caller) => {
    callers.delete(name)
    callers.set(name, caller)
    forget(name, caller)
  }
  const startNext = () => {
    for (const [name, caller] of callers) {
      if (reading >= atOnceMax) return
      const [start] = caller.begun.size > 0 ? caller.begun : caller.waiting
      if (start === undefined || caller.reading >= callerAtOnceMax) continue
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
  return {
    run: async (name, signal, read, isBegun = false) => {
      const caller = callers.get(name) ?? { begun: new Set(), waiting: new Set(), reading: 0 }
      callers.set(name, caller)
      const turn = waitIn(isBegun ? caller.begun : caller.waiting, signal, waitMsMax)
      startNext()
      await turn.finally(() => forget(name, caller))
      try {
        return await read()
      } finally {
        end(name, caller)
      }
    },
  }
}

/** Resolves when the start that it leaves among those that wait is called. Throws `overloaded`. */
function waitIn(waiting: Set<() => void>, signal: AbortSignal, msMax: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      cancelWait()
      signal.removeEventListener('abort', giveUp)
      waiting.delete(start)
    }
    const start = () => {
      settle()
      resolve()
    }
    const giveUp = () => {
      settle()
      reject(new AppError('overloaded', 'Too many lists are being read.', { retryAfterSeconds: 1 }))
    }
    const cancelWait = expireAfter(msMax, giveUp)
    waiting.add(start)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
  })
}
