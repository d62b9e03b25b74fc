import { TRANSPARENCY_LIMITS } from './limits.js'

/** A kept checkpoint, as far as it matters for whether it is kept on. */
export type AgedCheckpoint = {
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly signedAt: number
  readonly witnesses: number
}

export type PurgeDeps = {
  /** Those above a size that were signed before a moment, smallest first. */
  readonly listAged: (above: number, before: number, rowsMax: number) => Promise<readonly AgedCheckpoint[]>
  /** Deletes those that no witness has cosigned. */
  readonly deleteUnwitnessed: (sizes: readonly number[]) => Promise<void>
  readonly clock: () => number
}

const MINUTE_MS = 60_000

/** Of these, in the order of their sizes, those that need not be kept: no witness cosigned them, and their minute has a later one. */
export function listSpare(checkpoints: readonly AgedCheckpoint[]): number[] {
  const minuteOf = ({ signedAt }: AgedCheckpoint) => Math.floor(signedAt / MINUTE_MS)
  return checkpoints.flatMap((checkpoint, at) => {
    const next = checkpoints[at + 1]
    const isLast = next === undefined || minuteOf(next) !== minuteOf(checkpoint)
    return isLast || checkpoint.witnesses > 0 ? [] : [checkpoint.size]
  })
}

/**
 * Deletes checkpoints until one a minute is left, and every one that a witness cosigned. Those of the last minutes wait:
 * cosignatures may be on their way. Goes on where it stopped, a bounded number of pages at a time.
 */
export function createPurge({ listAged, deleteUnwitnessed, clock }: PurgeDeps): () => Promise<void> {
  let done = -1
  return async () => {
    for (let page = 0; page < TRANSPARENCY_LIMITS.purgePagesMax; page += 1) {
      const before = clock() - TRANSPARENCY_LIMITS.purgeAgeMsMin
      const aged = await listAged(done, before, TRANSPARENCY_LIMITS.purgeRowsMax)
      const spare = listSpare(aged)
      // Crash here: they are kept, and the next process begins at the beginning.
      if (spare.length > 0) await deleteUnwitnessed(spare)
      const last = aged.at(-2)
      if (aged.length < TRANSPARENCY_LIMITS.purgeRowsMax || last === undefined) return
      // The last of a page has not been compared with what follows it.
      done = last.size
    }
  }
}
