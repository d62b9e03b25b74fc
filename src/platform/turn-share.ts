import { SLICE_LIMITS } from './limits.js'

/** What many short pieces of work may take of one turn of the event loop. */
export type TurnShare = {
  /** Nothing if the work may go on in this turn; otherwise resolves in a later one, in the order of the calls. */
  take(): Promise<void> | undefined
}

/**
 * Node accepts one connection a turn, and reads up to 2 MiB from each one: when 300 streams came as fast as they could
 * be read, a turn took a second, and a new connection waited for 14.
 */
export function createTurnShare(now: () => number = () => performance.now()): TurnShare {
  const waiting: (() => void)[] = []
  let beganAt: number | undefined

  const begin = () => {
    beganAt = now()
    setImmediate(end)
  }
  const end = () => {
    beganAt = undefined
    if (waiting.length === 0) return
    begin()
    resume()
  }
  const isLeft = () => beganAt !== undefined && now() - beganAt < SLICE_LIMITS.sliceMsMax
  // What is resumed runs as microtasks, all of which come before the next tick that one of them asks for.
  const resume = () => {
    waiting.shift()?.()
    if (waiting.length > 0) queueMicrotask(() => process.nextTick(() => void (isLeft() && resume())))
  }

  return {
    take: () => {
      if (beganAt === undefined) begin()
      if (waiting.length === 0 && isLeft()) return undefined
      return new Promise((resolve) => waiting.push(resolve))
    },
  }
}
