import { SLICE_LIMITS } from './limits.js'

/** Long work in slices: `if (slices.isDue()) await slices.pause()` between its steps lets other requests be served. */
export type Slices = { isDue(): boolean; pause(): Promise<void> }

const paused: (() => void)[] = []

/**
 * One in each turn of the event loop, in the order in which they paused: four lists that are read at the same time would
 * hold it four times as long.
 */
function resumeNext(): void {
  const resume = paused.shift()
  if (paused.length > 0) setImmediate(resumeNext)
  resume?.()
}

export function createSlices(now: () => number = () => performance.now()): Slices {
  let since = now()
  return {
    isDue: () => now() - since >= SLICE_LIMITS.sliceMsMax,
    pause: async () => {
      await new Promise<void>((resume) => {
        if (paused.length === 0) setImmediate(resumeNext)
        paused.push(resume)
      })
      since = now()
    },
  }
}
