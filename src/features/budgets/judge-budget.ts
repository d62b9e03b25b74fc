import { decimalFromPico, usdPlaces } from '../../core/pricing/index.js'
import type { Budget, SpentRow } from './budget.js'

/** How a budget stands in a period. Money is US dollars with 12 places. */
export type Standing = {
  readonly spent: string
  /** Negative if more was spent. */
  readonly left: string
  /** Spent where there were too many names to tell which: it may belong to the budget, and is not in `spent`. */
  readonly unattributed: string
  /** The thresholds that are reached, ascending. */
  readonly reached: readonly number[]
}

/** What stands for names that came beyond a limit. */
const OTHER = '(other)'

/** Exact, to the last digit: a threshold is reached when what was spent is equal to it. */
export function judgeBudget(
  budget: Pick<Budget, 'alias' | 'profile' | 'amount' | 'thresholds'>,
  rows: readonly SpentRow[],
): Standing {
  const isOf = (row: SpentRow, ...more: string[]) =>
    [budget.alias ?? row.alias, ...more].includes(row.alias) &&
    [budget.profile ?? row.profile, ...more].includes(row.profile)
  const sumOf = (some: readonly SpentRow[]) => some.reduce((sum, { cost }) => sum + picoOf(cost), 0n)
  const amount = picoOf(budget.amount)
  const spent = sumOf(rows.filter((row) => isOf(row)))
  return {
    spent: decimalFromPico(spent),
    left: decimalFromPico(amount - spent),
    unattributed: decimalFromPico(sumOf(rows.filter((row) => !isOf(row) && isOf(row, OTHER)))),
    reached: budget.thresholds.filter((percent) => spent * 100n >= amount * BigInt(percent)),
  }
}

/** Of any length: sums have more digits than a cost may have. */
function picoOf(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.')
  return BigInt(`${whole}${fraction.padEnd(usdPlaces, '0')}`)
}
