import { checkTokens, decimalFromPico, type TokenParts } from '../../../core/pricing/index.js'
import { invariant } from '../../../platform/invariant.js'
import type { LogPosition, PricedRow, UnpricedRow, UsageStore } from '../store.js'
import { type FindPrice, priceEvent } from './price-event.js'

export type PriceWaitingDeps = {
  readonly store: Pick<UsageStore, 'listUnpriced' | 'writePrices'>
  readonly findPrice: FindPrice
  readonly rowsMax: number
}

/**
 * Prices the events that were recorded before any registry was loaded, oldest first, `rowsMax` in a transaction;
 * answers how many. One pass: rows whose registry is still missing are left as they are.
 */
export async function priceWaiting(deps: PriceWaitingDeps): Promise<number> {
  let written = 0
  let after: LogPosition | null = null
  for (;;) {
    const rows: UnpricedRow[] = await deps.store.listUnpriced(after, deps.rowsMax)
    const priced = rows.flatMap((row) => priceRow(deps.findPrice, row))
    // Crash before this commit: these rows still wait. After it: they are priced, and the next pass begins behind them.
    for (const [projectId, own] of byProject(priced)) written += await deps.store.writePrices(projectId, own)
    const last = rows.at(-1)
    if (last === undefined || rows.length < deps.rowsMax) return written
    after = { loggedAt: last.loggedAt.toISOString(), id: last.id }
  }
}

function byProject(rows: readonly PricedRow[]): Map<string, PricedRow[]> {
  const projects = new Map<string, PricedRow[]>()
  for (const row of rows) {
    const own = projects.get(row.projectId)
    if (own === undefined) projects.set(row.projectId, [row])
    else own.push(row)
  }
  return projects
}

function priceRow(findPrice: FindPrice, row: UnpricedRow): PricedRow[] {
  const found = findPrice(row.provider, row.model)
  if (found.status === 'no_registry') return []
  const { status, costPico, computedPico, registryVersion, unitPrices } = priceEvent(found, {
    parts: partsOf(row),
    reportedPico: null,
  })
  return [
    {
      projectId: row.projectId,
      loggedAt: row.loggedAt.toISOString(),
      id: row.id,
      cost: decimalFromPico(costPico),
      computedCost: computedPico === null ? null : decimalFromPico(computedPico),
      ...{ status, registryVersion, unitPrices },
    },
  ]
}

/** The tokens of a recorded event, in parts that do not overlap. */
export function partsOf(row: Omit<UnpricedRow, 'projectId' | 'loggedAt' | 'id' | 'provider' | 'model'>): TokenParts {
  const checked = checkTokens({
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cached_input_tokens: row.cachedInputTokens,
    cache_read_input_tokens: row.cacheReadInputTokens,
    cache_write_5m_input_tokens: row.cacheWrite5mInputTokens,
    cache_write_1h_input_tokens: row.cacheWrite1hInputTokens,
    reasoning_tokens: row.reasoningTokens,
    input_tokens_include_cache: row.inputTokensIncludeCache,
  })
  invariant(checked.ok, 'the counts of a recorded event were checked before it was recorded')
  return checked.parts
}
