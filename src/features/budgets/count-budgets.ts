import type { Metrics } from '../../platform/metrics.js'

const NONE = { none: 0, below_50: 0, '50': 0, '80': 0, '100': 0 } as const

/** Reports the counts that were read last. They are of the whole database, so every instance reports the same. */
export function createBudgetGauge(metrics: Metrics): (counts: Readonly<Record<string, number>>) => void {
  let last: Readonly<Record<string, number>> = NONE
  const help = 'Budgets of the whole database by the percentage that is reached; every instance says the same.'
  metrics.gauges('llmring_budgets', help, 'reached', () => last)
  return (counts) => {
    last = { ...NONE, ...counts }
  }
}
