/** What a call, or a whole workflow, may use up: attempts at backends, and time. */
export type Budget = {
  /** Takes one attempt; false if none is left or the time is over. */
  take(nowMs: number): boolean
  readonly attempts: () => number
  readonly attemptsLeft: () => number
  readonly msLeft: (nowMs: number) => number
}

/** `deadlineAtMs` is of the clock whose times are handed to the budget. */
export function createBudget(attemptsMax: number, deadlineAtMs: number): Budget {
  let attempts = 0
  const msLeft = (nowMs: number): number => Math.max(0, deadlineAtMs - nowMs)
  return {
    take(nowMs) {
      if (attempts >= attemptsMax || msLeft(nowMs) === 0) return false
      attempts += 1
      return true
    },
    attempts: () => attempts,
    attemptsLeft: () => attemptsMax - attempts,
    msLeft,
  }
}
