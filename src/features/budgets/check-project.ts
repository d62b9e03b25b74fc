import type { ProjectId } from '../../access/principal.js'
import type { Transact, Tx } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import type { Budget, Crossing, Span, Spending } from './budget.js'
import type { CheckingStore } from './checking-store.js'
import { judgeBudget } from './judge-budget.js'
import { BUDGET_LIMITS } from './limits.js'
import { renderCrossing } from './render-budget.js'
import type { BudgetStore } from './store.js'
import { sumPeriods } from './sum-periods.js'

/** Tells the project's webhook of an event, in the transaction that writes it. */
export type Tell = (
  tx: Tx,
  event: { readonly projectId: ProjectId; readonly type: string; readonly data: object },
) => Promise<void>

export type CheckDeps = {
  readonly transact: Transact
  readonly store: Pick<BudgetStore, 'list'> & Pick<CheckingStore, 'lockEdition' | 'addCrossings' | 'markChecked'>
  readonly spending: Pick<Spending, 'periodAt' | 'sum'>
  readonly tell: Tell
  readonly clock: Clock
}

type Found = { readonly budget: Budget; readonly crossing: Crossing }

/**
 * Adds up what a project's budgets ask for, and writes down and tells of each threshold that is reached and was not
 * before: once, however many instances check at the same time. `seen` names the usage that was there before.
 *
 * Crash before the commit: nothing was told of; the next check finds the same. After it: the webhook's delivery is there.
 */
export async function checkProject(deps: CheckDeps, projectId: ProjectId, seen: string): Promise<void> {
  const { edition, checkedAt, budgets } = await deps.store.list(projectId)
  const nowMs = deps.clock()
  const periodsOf = (budget: Budget) => checkedPeriods(deps.spending.periodAt, budget, checkedAt, nowMs)
  const pairs = budgets.flatMap((budget) => periodsOf(budget).map((period) => ({ budget, period })))
  const rowsOf = await sumPeriods(
    deps.spending,
    projectId,
    pairs.map(({ period }) => period),
  )
  const found = pairs.flatMap(({ budget, period }): Found[] => {
    const { reached, spent } = judgeBudget(budget, rowsOf(period))
    const common = { budgetId: budget.id, period, crossedAt: new Date(nowMs), spent }
    return reached.map((threshold) => ({ budget, crossing: { ...common, threshold } }))
  })
  await deps.transact(async (tx) => {
    // Other budgets were set meanwhile, or none are left: the next turn judges those.
    if ((await deps.store.lockEdition(tx, projectId)) !== edition) return
    await writeCrossings(deps, tx, projectId, found)
    await deps.store.markChecked(tx, projectId, { at: new Date(nowMs), seen })
  })
}

async function writeCrossings(deps: CheckDeps, tx: Tx, projectId: ProjectId, found: readonly Found[]): Promise<void> {
  const isNew = await deps.store.addCrossings(
    tx,
    projectId,
    found.map(({ crossing }) => crossing),
  )
  for (const { budget, crossing } of found.filter((_, index) => isNew.has(index))) {
    const data = { project_id: projectId, ...renderCrossing(budget, crossing) }
    await deps.tell(tx, { projectId, type: 'budget.threshold', data })
  }
}

/** The period that is now, and the one before it as long as something of it may be late, but for a newer budget. */
function checkedPeriods(
  periodAt: Spending['periodAt'],
  { period, zone, createdAt }: Budget,
  checkedAt: Date | null,
  nowMs: number,
): Span[] {
  const since = checkedAt === null ? nowMs : Math.min(nowMs, checkedAt.getTime() - BUDGET_LIMITS.lateMsMax)
  const before = periodAt(Math.max(since, Math.min(nowMs, createdAt.getTime())), period, zone)
  const now = periodAt(nowMs, period, zone)
  return before.fromMs === now.fromMs ? [now] : [before, now]
}
