import type { Clock } from '../../../platform/clock.js'
import { USAGE_LIMITS } from '../limits.js'
import type { RollupStore } from './rollup-store.js'

export type FoldDeps = Pick<RollupStore, 'fold' | 'foldLatencies'> & {
  readonly clock: Clock
  readonly rowsMax: number
}

/**
 * Folds the quarters of an hour that are over, and what came for them since; answers how many sums it took away. Latencies
 * are folded whenever they came: each statement leaves lines of its own. Only
 * one instance does it at a time. What is not folded yet is counted by readers all the same.
 */
export async function foldRollups({ clock, fold, foldLatencies, rowsMax }: FoldDeps): Promise<number> {
  const beforeMs = clock() - USAGE_LIMITS.foldAfterMs
  let folded = 0
  // Crash between two: the rest is folded by the next turn.
  for (let last = rowsMax; last === rowsMax; folded += last) last = await fold(beforeMs, rowsMax)
  for (let last = rowsMax; last === rowsMax; ) last = await foldLatencies(rowsMax)
  return folded
}
