import type { CallSlot } from './account/account.js'
import type { OpWish } from './workflows/serve-workflow.js'

/** A slot whose row is told once it is recorded. */
export function heard(slot: CallSlot, onRecorded: OpWish['onRecorded']): CallSlot {
  return {
    release: () => slot.release(),
    record: (observed) => {
      const recorded = slot.record(observed)
      onRecorded(recorded.row)
      return recorded
    },
  }
}
