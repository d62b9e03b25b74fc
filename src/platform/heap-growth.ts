import { setFlagsFromString } from 'node:v8'
import { HEAP_LIMITS } from './limits.js'

/**
 * Has the engine collect what is not needed any more once the heap has grown by this share since it last did. Left to
 * itself it waits for up to four times what is needed: under a flood of large bodies 60 MB that were needed had grown
 * to 230 MB, and the process to 440 MB; bounded to 320 MB, at no processor time that could be measured. The engine
 * reads this number at each collection, so it may be set while the program runs.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_LIMITS.heapGrowthPercentMax}`)
}
