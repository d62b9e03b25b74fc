import type { CostStatus } from './event.js'
import type { UsageLog } from './log-schema.js'
import type { ListedUsage } from './log-store.js'
import type { StoredUsage } from './store.js'

/** A stored event as it goes over the wire. Money is US dollars: `cost` for old clients, the decimals are exact. */
function renderLog(row: Omit<StoredUsage, 'projectId' | 'keyId'>): UsageLog {
  return {
    id: row.id,
    logged_at: row.loggedAt.toISOString(),
    provider: row.provider,
    model: row.model,
    alias: row.alias,
    profile: row.profile,
    origin: row.origin,
    id_at_origin: row.idAtOrigin,
    conversation_id: row.conversationId,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cached_input_tokens: row.cachedInputTokens,
    cache_read_input_tokens: row.cacheReadInputTokens,
    cache_write_5m_input_tokens: row.cacheWrite5mInputTokens,
    cache_write_1h_input_tokens: row.cacheWrite1hInputTokens,
    reasoning_tokens: row.reasoningTokens,
    input_tokens_include_cache: row.inputTokensIncludeCache,
    latency_ms: row.latencyMs,
    cost: Number(row.cost),
    cost_decimal: row.cost,
    // A CHECK of the table lets nothing else in.
    cost_status: row.costStatus as CostStatus,
    computed_cost: row.computedCost,
    reported_cost: row.reportedCost,
    registry_provider_version: row.registryProviderVersion,
    unit_prices: row.unitPrices as UsageLog['unit_prices'],
    metadata: row.metadata as UsageLog['metadata'],
  }
}

/** The same as JSON text, of an event whose large members are texts already. */
export function renderListed(row: ListedUsage): string {
  const { unit_prices: _, metadata: __, ...shown } = renderLog({ ...row, unitPrices: null, metadata: null })
  const large = `"unit_prices":${row.unitPrices ?? 'null'},"metadata":${row.metadata ?? 'null'}`
  return `${JSON.stringify(shown).slice(0, -1)},${large}}`
}
