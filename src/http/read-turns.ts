import { expireAfter } from '../platform/deadline.js'
import { AppError } from '../platform/errors.js'
import { HTTP_LIMITS } from './limits.js'
import type { Unread } from './listen/unread.js'

export type ReadTurnLimits = {
  readonly atOnceMax: number
  /** Of these, those of one caller. */
  readonly callerAtOnceMax: number
  readonly waitMsMax: number
  /** Whether memory has room for what a turn makes; default: always. Asked again soon if it has none. */
  readonly hasRoom?: () => boolean
  /** What is said to one that waited in vain. */
  readonly excuse?: string
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

/** Turns for what reads, and for what changes so much that its response is large, too. */
export type ServiceTurns = {
  readonly read: ReadTurns
  readonly change: ReadTurns
  /** From now on none begins while more of their responses is unread than may be: who does not read is cut first. */
  heed(unread: Pick<Unread, 'isExcessive'>): void
}

/** The turns of a service. */
export function createServiceReadTurns(): ServiceTurns {
  const { readsAtOnceMax, readsOfCallerAtOnceMax, changesAtOnceMax, readWaitMsMax } = HTTP_LIMITS
  let heeded: Pick<Unread, 'isExcessive'> | undefined
  const common = { waitMsMax: readWaitMsMax, hasRoom: () => heeded?.isExcessive() !== true }
  return {
    read: createReadTurns({ ...common, atOnceMax: readsAtOnceMax, callerAtOnceMax: readsOfCallerAtOnceMax }),
    change: createReadTurns({
      ...{ ...common, atOnceMax: changesAtOnceMax, callerAtOnceMax: 1 },
      excuse: 'Too many large changes are being made; this one was not.',
    }),
    heed: (unread) => {
      heeded = unread
    },
  }
}

/** What one caller does; its reads wait in the order in which they came, those that go on first. */
type Caller = { readonly begun: Set<() => void>; readonly waiting: Set<() => void>; reading: number }

/**
 * So many reads at a time, of one caller fewer: the next one belongs to the caller whose last turn is longest ago. The
 * rows of all that the pool has connections for would come at once: 2,000 pipelined lists of one project held the event
 * loop, and with it everything else, for 20 s.
 */
export function createReadTurns(limits: ReadTurnLimits): ReadTurns {
  const { atOnceMax, callerAtOnceMax, hasRoom } = limits
  const callers = createCallers()
  let reading = 0
  const askAgainSoon = onceAfter(HTTP_LIMITS.roomAskedAgainMs, () => startNext())

  const startNext = () => {
    for (const [name, caller] of callers.all) {
      if (reading >= atOnceMax) return
      const [start] = caller.begun.size > 0 ? caller.begun : caller.waiting
      if (start === undefined || caller.reading >= callerAtOnceMax) continue
      // What goes on holds a piece of its response already.
      if (caller.begun.size === 0 && hasRoom?.() === false) {
        askAgainSoon()
        continue
      }
      caller.reading += 1
      reading += 1
      callers.moveToEnd(name, caller)
      start()
    }
  }
  const end = (name: string, caller: Caller) => {
    caller.reading -= 1
    reading -= 1
    callers.moveToEnd(name, caller)
    // A response is written, and counted among those that are unread, before room is asked for.
    if (hasRoom === undefined) startNext()
    else setImmediate(startNext)
  }
  return {
    run: async (name, signal, read, isBegun = false) => {
      const caller = callers.get(name)
      const turn = waitIn(isBegun ? caller.begun : caller.waiting, signal, limits)
      startNext()
      await turn.finally(() => callers.forget(name, caller))
      try {
        return await read()
      } finally {
        end(name, caller)
      }
    },
  }
}

/** Those who read or wait to, in the order of their last turns. */
function createCallers() {
  const all = new Map<string, Caller>()
  const forget = (name: string, caller: Caller): void => {
    const isIdle = caller.reading + caller.begun.size + caller.waiting.size === 0
    if (isIdle && all.get(name) === caller) all.delete(name)
  }
  return {
    all,
    forget,
    get: (name: string): Caller => {
      const caller = all.get(name) ?? { begun: new Set(), waiting: new Set(), reading: 0 }
      all.set(name, caller)
      return caller
    },
    moveToEnd: (name: string, caller: Caller): void => {
      all.delete(name)
      all.set(name, caller)
      forget(name, caller)
    },
  }
}

const EXCUSE = 'Too many lists are being read.'

/** Calls back after a time, once for all that ask for it meanwhile. */
function onceAfter(ms: number, callback: () => void): () => void {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    setTimeout(() => {
      isDue = false
      callback()
    }, ms).unref()
  }
}

/** Resolves when the start that it leaves among those that wait is called. Throws `overloaded`. */
function waitIn(
  waiting: Set<() => void>,
  signal: AbortSignal,
  { waitMsMax, excuse = EXCUSE }: Pick<ReadTurnLimits, 'waitMsMax' | 'excuse'>,
): Promise<void> {
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
      reject(new AppError('overloaded', excuse, { retryAfterSeconds: 1 }))
    }
    const cancelWait = expireAfter(waitMsMax, giveUp)
    waiting.add(start)
    signal.addEventListener('abort', giveUp)
    if (signal.aborted) giveUp()
  })
}
