import type { ProjectId } from '../../access/principal.js'
import type { Span, Spending, SpentRow } from './budget.js'

/** Finds what was spent in a period among these. Each is added up once, however many budgets it has. */
export async function sumPeriods(
  { sum }: Pick<Spending, 'sum'>,
  projectId: ProjectId,
  periods: readonly Span[],
): Promise<(period: Span) => readonly SpentRow[]> {
  const distinct = new Map(periods.map((period) => [nameOf(period), period]))
  const sums = await sum(projectId, [...distinct.values()])
  const found = new Map([...distinct.keys()].map((name, index) => [name, sums[index] ?? []]))
  return (period) => found.get(nameOf(period)) ?? []
}

const nameOf = ({ fromMs, untilMs }: Span): string => `${fromMs} ${untilMs}`
