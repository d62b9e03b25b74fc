import type { Clock } from '../../platform/clock.js'

const MINUTE_MS = 60_000

/** Counts what may be done in a minute. */
export type Budget = { take(): boolean }

/** At most `perMinuteMax` takings within each minute of the clock; beyond it `take` says no. */
export function createBudget(clock: Clock, perMinuteMax: number): Budget {
  let minute = 0
  let taken = 0
  return {
    take: () => {
      const now = Math.floor(clock() / MINUTE_MS)
      if (now !== minute) {
        minute = now
        taken = 0
      }
      if (taken >= perMinuteMax) return false
      taken += 1
      return true
    },
  }
}
