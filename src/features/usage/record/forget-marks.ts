import type { Clock } from '../../../platform/clock.js'
import type { MarkStore } from './mark-store.js'

export type ForgetDeps = {
  readonly clock: Clock
  readonly purge: MarkStore['purge']
  readonly days: number
  readonly rowsMax: number
}

const DAY_MS = 86_400_000

/** Forgets the idempotency keys that are older than `days`, a bounded number in a statement; answers how many. */
export async function forgetMarks({ clock, purge, days, rowsMax }: ForgetDeps): Promise<number> {
  const beforeMs = clock() - days * DAY_MS
  let forgotten = 0
  // Crash between two: the rest is forgotten an hour later.
  for (let last = rowsMax; last === rowsMax; forgotten += last) last = await purge(beforeMs, rowsMax)
  return forgotten
}
