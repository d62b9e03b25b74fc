import { setImmediate as turn } from 'node:timers/promises'

/** How long work may hold the event loop before everything else gets a turn, in milliseconds. */
const sliceMsMax = 8

/** Long work in slices: `if (slices.isDue()) await slices.pause()` between its steps lets other requests be served. */
export type Slices = { isDue(): boolean; pause(): Promise<void> }

export function createSlices(now: () => number = () => performance.now()): Slices {
  let since = now()
  return {
    isDue: () => now() - since >= sliceMsMax,
    pause: async () => {
      await turn()
      since = now()
    },
  }
}
