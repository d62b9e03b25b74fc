import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import { acceptPeriod } from './accept-period.js'
import { type PeriodText, readPeriod } from './period.js'
import { renderStats } from './render-stats.js'
import type { GroupBy, UsageStore } from './store.js'

export type StatsDeps = { readonly clock: Clock; readonly tally: UsageStore['tally'] }
export type StatsInput = { readonly period: PeriodText; readonly groupBy: GroupBy }

/**
 * The sums of a period, from one snapshot, as the bytes of `UsageStats`. Throws `validation-failed` for a period that
 * does not exist.
 */
export async function computeStats(
  deps: StatsDeps,
  projectId: ProjectId,
  input: StatsInput,
): Promise<Uint8Array<ArrayBuffer>> {
  const period = acceptPeriod(readPeriod(input.period, deps.clock()))
  return renderStats(await deps.tally(projectId, period, input.groupBy))
}
