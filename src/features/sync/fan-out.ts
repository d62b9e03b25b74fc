import { SYNC_LIMITS } from './limits.js'

/** Tells many the same. */
export type FanOut = {
  /** Resolves when `tell` was called for each. It must not throw. */
  tellAll<T>(receivers: readonly T[], tell: (receiver: T) => void): Promise<void>
}

type Round = { readonly tellNext: () => boolean; readonly end: () => void }

/**
 * A few at a time, then everything else gets a turn: what is told is written to its connection in the same turn, and
 * 10,000 at once would hold the event loop for 300 ms. Several rounds take turns, so that a small one does not wait for a
 * large one.
 */
export function createFanOut(): FanOut {
  const rounds = new Set<Round>()

  const step = (): void => {
    let left: number = SYNC_LIMITS.toldAtOnceMax
    for (const round of rounds) {
      rounds.delete(round)
      let isOver = false
      // A whole step for one round: the next one takes the next step.
      while (left > 0 && !isOver) {
        isOver = round.tellNext()
        left -= 1
      }
      if (isOver) round.end()
      else rounds.add(round)
      if (left === 0) break
    }
    if (rounds.size > 0) setImmediate(step)
  }

  return {
    tellAll: (receivers, tell) =>
      new Promise((resolve) => {
        if (receivers.length === 0) {
          resolve()
          return
        }
        let next = 0
        const tellNext = (): boolean => {
          tell(receivers[next] as (typeof receivers)[number])
          next += 1
          return next === receivers.length
        }
        if (rounds.size === 0) setImmediate(step)
        rounds.add({ tellNext, end: resolve })
      }),
  }
}
