import type { Budget, Crossing } from './budget.js'
import type { ShownBudget } from './show-budgets.js'

/** A budget as it was set. */
function renderTerms({ id, alias, profile, amount, period, zone, thresholds }: Budget) {
  return { id, alias, profile, amount, period, tz: zone, thresholds }
}

/** A budget and how it stands. */
export function renderBudget({ budget, period, standing, crossings }: ShownBudget) {
  const { spent, left, unattributed, reached } = standing
  return {
    ...renderTerms(budget),
    ...renderPeriod(period),
    ...{ spent, left, unattributed, reached: reached.at(-1) ?? null },
    crossings: crossings.map((one) => ({
      threshold: one.threshold,
      at: one.crossedAt.toISOString(),
      spent: one.spent,
    })),
  }
}

/** What a webhook is told of a threshold. */
export function renderCrossing(budget: Budget, { threshold, spent, period }: Crossing) {
  return { budget: renderTerms(budget), ...renderPeriod(period), threshold, spent }
}

const renderPeriod = ({ fromMs, untilMs }: Crossing['period']) => ({
  period_start: new Date(fromMs).toISOString(),
  period_end: new Date(untilMs).toISOString(),
})
