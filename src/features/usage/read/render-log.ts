import type { CostStatus } from '../event.js'
import type { StoredUsage } from '../store.js'
import type { UsageLog } from './log-schema.js'
import type { LaterName, ListedUsage } from './log-store.js'

type Shown = Omit<StoredUsage, 'projectId' | 'keyId' | 'unitPrices' | 'metadata' | LaterName>
/** What follows as texts, or is money that was read apart. */
type Text = 'unit_prices' | 'metadata' | 'previous_cost' | 'repriced_cost' | 'earlier_prices'

/** A stored event as it goes over the wire. Money is US dollars: `cost` for old clients, the decimals are exact. */
function renderLog(row: Shown): Omit<UsageLog, Text> {
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
  }
}

/** The same as JSON text, of an event whose large members are texts already. */
export function renderListed(row: ListedUsage): string {
  const { unitPrices, metadata, earlierPrices, previousCost, repricedCost } = row
  const shown = JSON.stringify(renderLog(row))
  const large = `"unit_prices":${unitPrices ?? 'null'},"metadata":${metadata ?? 'null'}`
  const earlier = `"earlier_prices":${earlierPrices ?? 'null'}`
  const costs = `"previous_cost":${JSON.stringify(previousCost)},"repriced_cost":${JSON.stringify(repricedCost)}`
  return `${shown.slice(0, -1)},${large},${costs},${earlier}}`
}
