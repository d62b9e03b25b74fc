import type { ProjectId } from '../../../access/principal.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import { planReads } from './read-plan.js'
import type { StatsStore } from './stats-store.js'

/** What was spent under an alias and a profile (`''`: without one, `(other)`: not known which): exact US dollars. */
export type SpentRow = { readonly alias: string; readonly profile: string; readonly cost: string }

/** What was spent in each of these periods by alias and profile, all from one snapshot, what is not folded yet included. */
export async function sumSpending(
  store: Pick<StatsStore, 'inSnapshot'>,
  projectId: ProjectId,
  periods: readonly Period[],
): Promise<readonly (readonly SpentRow[])[]> {
  if (periods.length === 0) return []
  return store.inSnapshot(async ({ costs }) => {
    const sums: (readonly SpentRow[])[] = []
    for (const { fromMs, untilMs } of periods) {
      const boundsMs = [fromMs, untilMs]
      const query = { projectId, boundsMs, plan: planReads(boundsMs) }
      const rows = await costs(query, ['alias', 'profile'], USAGE_LIMITS.statsGroupsMax)
      sums.push(rows.map(({ alias = '', profile = '', cost = '0' }) => ({ alias, profile, cost })))
    }
    return sums
  })
}
