import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import type { Spending } from './budget.js'
import type { CheckingStore } from './checking-store.js'
import { BUDGET_LIMITS } from './limits.js'

export type SweepDeps = {
  readonly store: Pick<CheckingStore, 'pageOfHeads'>
  readonly marks: Spending['marks']
  readonly check: (projectId: ProjectId, seen: string) => Promise<void>
  readonly clock: Clock
  readonly stopping: AbortSignal
}

/** Nothing was recorded of late: all of it is folded. */
const QUIET = 'quiet'

/**
 * Checks the projects with budgets of which the usage is another one than when they were checked last. A project that
 * cannot be checked does not keep the others from it; then this rejects with the first failure.
 */
export async function checkBudgets({ store, marks, check, clock, stopping }: SweepDeps): Promise<void> {
  const failures: unknown[] = []
  const { checkPageProjectsMax: rowsMax, checkedMsMax } = BUDGET_LIMITS
  let after: ProjectId | null = null
  while (!stopping.aborted) {
    const heads = await store.pageOfHeads(after, rowsMax)
    const seenNow = await marks(heads.map(({ projectId }) => projectId))
    for (const { projectId, checkedAt, seen } of heads) {
      const mark = seenNow.get(projectId) ?? QUIET
      const isKnown = seen === mark && checkedAt !== null && clock() - checkedAt.getTime() < checkedMsMax
      if (isKnown || stopping.aborted) continue
      await check(projectId, mark).catch((error: unknown) => failures.push(error))
    }
    after = heads.at(-1)?.projectId ?? null
    if (heads.length < rowsMax) break
  }
  if (failures.length > 0) throw failures[0]
}
