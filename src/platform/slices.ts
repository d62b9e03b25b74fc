import { setImmediate as turn } from 'node:timers/promises'
import { SLICE_LIMITS } from './limits.js'

/** Long work in slices: `if (slices.isDue()) await slices.pause()` between its steps lets other requests be served. */
export type Slices = { isDue(): boolean; pause(): Promise<void> }

export function createSlices(now: () => number = () => performance.now()): Slices {
  let since = now()
  return {
    isDue: () => now() - since >= SLICE_LIMITS.sliceMsMax,
    pause: async () => {
      await turn()
      since = now()
    },
  }
}
