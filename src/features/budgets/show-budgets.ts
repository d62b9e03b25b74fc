import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import type { Budget, Crossing, Span, Spending } from './budget.js'
import { judgeBudget, type Standing } from './judge-budget.js'
import type { BudgetStore } from './store.js'
import { sumPeriods } from './sum-periods.js'

export type ShowDeps = {
  readonly store: Pick<BudgetStore, 'list' | 'listCrossings'>
  readonly spending: Pick<Spending, 'periodAt' | 'sum'>
  readonly clock: Clock
}

/** A budget in the period that is now, and what was noticed in it so far. */
export type ShownBudget = {
  readonly budget: Budget
  readonly period: Span
  readonly standing: Standing
  readonly crossings: readonly Crossing[]
}

/** A project's budgets with what was spent, in the order in which they were set. */
export async function showBudgets(deps: ShowDeps, projectId: ProjectId): Promise<ShownBudget[]> {
  const { budgets } = await deps.store.list(projectId)
  if (budgets.length === 0) return []
  const nowMs = deps.clock()
  const judged = budgets.map((budget) => ({
    budget,
    period: deps.spending.periodAt(nowMs, budget.period, budget.zone),
  }))
  const rowsOf = await sumPeriods(
    deps.spending,
    projectId,
    judged.map(({ period }) => period),
  )
  const crossings = await deps.store.listCrossings(projectId, new Date(nowMs))
  return judged.map(({ budget, period }) => ({
    budget,
    period,
    standing: judgeBudget(budget, rowsOf(period)),
    crossings: crossings.filter((one) => one.budgetId === budget.id && one.period.fromMs === period.fromMs),
  }))
}
