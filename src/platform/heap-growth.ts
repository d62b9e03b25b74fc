import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { HEAP_LIMITS } from './limits.js'

/**
 * Has the engine collect what is not needed any more once the heap has grown by a share since it last did. Left to
 * itself it waits for up to four times what is needed: under a flood of large bodies 60 MB that were needed had grown
 * to 230 MB, and the process to 440 MB; bounded to 320 MB, at no processor time that could be measured. The engine
 * reads this number at each collection, so it may be set while the program runs: of a heap that holds more, as with
 * thousands of watchers, the share is smaller, so that what may be wasted stays as many bytes.
 */
export function boundHeapGrowth(): void {
  let percent: number | undefined
  const bound = (): void => {
    const next = growthPercent(getHeapStatistics().used_heap_size)
    if (next !== percent) setFlagsFromString(`--heap-growing-percent=${next}`)
    percent = next
  }
  bound()
  setInterval(bound, HEAP_LIMITS.heapLookMs).unref()
}

/**
 * Has the engine make every object in the young generation. It watches which places of the program make objects that
 * outlive a collection and then makes those in the old one at once; under load most objects of a request do, since a
 * request is under way. There each of them, though dead, keeps all that it points to until the next full collection: a
 * fifth of what every request allocated was moved to the old generation, for a tenth to a seventh of its processor time.
 */
export function allocateYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}

/** By how much a heap of so many bytes may grow, in steps of ten percent. */
function growthPercent(usedBytes: number): number {
  const { heapGrowthBytes, heapGrowthPercentMin, heapGrowthPercentMax } = HEAP_LIMITS
  const percent = Math.round((10 * heapGrowthBytes) / usedBytes) * 10
  return Math.min(Math.max(percent, heapGrowthPercentMin), heapGrowthPercentMax)
}
