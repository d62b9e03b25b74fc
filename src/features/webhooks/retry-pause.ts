import { WEBHOOK_LIMITS } from './limits.js'

/**
 * How long to wait after so many failures in a row, in milliseconds: 5 s, 20 s, 80 s, … up to an hour, a tenth more or
 * less. A receiver may ask for more by `Retry-After`, up to the same hour. `random` is 0 to 1.
 */
export function retryPauseMs(failures: number, retryAfterSeconds: number, random: number): number {
  const { retryPauseMsMin, retryFactorMax, retryPauseMsMax } = WEBHOOK_LIMITS
  const grown = retryPauseMsMin * retryFactorMax ** Math.min(failures - 1, 16)
  const asked = retryAfterSeconds * 1000
  return Math.round(Math.min(Math.max(grown, asked), retryPauseMsMax) * (0.9 + 0.2 * random))
}
