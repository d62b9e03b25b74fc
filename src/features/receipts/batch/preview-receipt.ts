import type { ProjectId } from '../../../access/principal.js'
import type { CertifiedPart } from '../../../core/proof/index.js'
import type { BatchStore } from './batch-store.js'
import { type SelectDeps, type Selection, selectUsage } from './select-usage.js'
import { createTally } from './tally-usage.js'

export type PreviewDeps = SelectDeps & { readonly store: Pick<BatchStore, 'certified' | 'coverage'> }

/** What a receipt over these calls would say, as it goes over the wire. Nothing is signed or kept. */
export async function previewReceipt(deps: PreviewDeps, projectId: ProjectId, selection: Selection) {
  const tally = createTally()
  const coverage = await deps.store.coverage(projectId)
  for await (const { rows } of selectUsage(deps, projectId, selection, coverage)) {
    for (const row of rows) tally.add(row)
  }
  if (tally.count() === 0) return EMPTY
  const { count, unpriced, cost, tokens, startDate, endDate, byModel, byAlias } = tally.totals()
  return {
    ...{ total_logs: count, total_conversations: 0, unpriced_logs: unpriced },
    total_tokens: (tokens['input'] ?? 0) + (tokens['output'] ?? 0),
    ...{ total_cost: Number(cost), total_cost_decimal: cost, start_date: startDate, end_date: endDate },
    ...{ by_model: inNumbers(byModel), by_alias: inNumbers(byAlias) },
    receipt_type: count === 1 ? 'single' : 'batch',
  }
}

const EMPTY = {
  ...{ total_logs: 0, total_conversations: 0, unpriced_logs: 0, total_tokens: 0 },
  ...{ total_cost: 0, total_cost_decimal: '0.000000000000', start_date: null, end_date: null },
  ...{ by_model: {}, by_alias: {}, receipt_type: 'batch' },
}

function inNumbers(parts: Readonly<Record<string, CertifiedPart>>) {
  const shown = Object.entries(parts).map(([name, { calls, cost, tokens }]) => {
    return [name, { calls, cost: Number(cost), tokens, cost_decimal: cost }] as const
  })
  return Object.fromEntries(shown)
}
