import type { RowColumns } from '../../db/grouped-insert.js'
import type { usageLogs } from '../../db/tables/usage.js'
import type { UsageRow } from './event.js'

/** Events of one sort share their unit prices, whose text is made once. */
const texts = new WeakMap<object, string>()

function jsonOf(value: object | null): string | null {
  if (value === null) return null
  const known = texts.get(value) ?? JSON.stringify(value)
  texts.set(value, known)
  return known
}

/** What a usage row stores where. Money travels as decimal text. */
export const USAGE_COLUMNS: RowColumns<typeof usageLogs, UsageRow> = {
  projectId: (row) => row.projectId,
  loggedAt: (row) => row.loggedAt,
  id: (row) => row.id,
  keyId: (row) => row.keyId,
  provider: (row) => row.event.provider,
  model: (row) => row.event.model,
  alias: (row) => row.event.alias,
  profile: (row) => row.event.profile,
  origin: (row) => row.event.origin,
  idAtOrigin: (row) => row.event.idAtOrigin,
  conversationId: (row) => row.event.conversationId,
  inputTokens: (row) => row.event.tokens.input_tokens,
  outputTokens: (row) => row.event.tokens.output_tokens,
  cachedInputTokens: (row) => row.event.tokens.cached_input_tokens,
  cacheReadInputTokens: (row) => row.event.tokens.cache_read_input_tokens,
  cacheWrite5mInputTokens: (row) => row.event.tokens.cache_write_5m_input_tokens,
  cacheWrite1hInputTokens: (row) => row.event.tokens.cache_write_1h_input_tokens,
  reasoningTokens: (row) => row.event.tokens.reasoning_tokens,
  inputTokensIncludeCache: (row) => row.event.tokens.input_tokens_include_cache ?? true,
  latencyMs: (row) => row.event.latencyMs,
  cost: (row) => row.cost,
  reportedCost: (row) => row.reportedCost,
  computedCost: (row) => row.computedCost,
  costStatus: (row) => row.status,
  registryProviderVersion: (row) => row.registryVersion,
  unitPrices: (row) => jsonOf(row.unitPrices),
  metadata: (row) => row.event.metadata,
  earlierPrices: () => null,
  repriced: () => null,
}

/** What is written when an event is repriced, and not when it is recorded. */
export const LATER_COLUMNS: readonly string[] = ['earlier_prices', 'repriced']

/** About what a waiting row occupies, in bytes. */
export function rowBytes(row: UsageRow): number {
  const { event, mark } = row
  const names = event.provider.length + event.model.length + (event.alias?.length ?? 0) + (event.origin?.length ?? 0)
  const ids = (event.profile?.length ?? 0) + (event.idAtOrigin?.length ?? 0) + (event.conversationId?.length ?? 0)
  const marked = mark === undefined ? 0 : 512 + mark.key.length + mark.answer.length
  return 1_024 + 2 * (names + ids + marked + (event.metadata?.length ?? 0))
}
