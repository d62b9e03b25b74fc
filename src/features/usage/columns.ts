import type { UsageRow } from './event.js'

type Value = string | number | boolean | null | undefined
type Column<Row> = { readonly name: string; readonly type: string; readonly of: (row: Row) => Value }

const column = <Row>(name: string, type: string, of: (row: Row) => Value): Column<Row> => ({ name, type, of })
const jsonOf = (value: object | null) => (value === null ? null : JSON.stringify(value))

/** What a usage row stores where. Money travels as decimal text. */
export const USAGE_COLUMNS: readonly Column<UsageRow>[] = [
  column('project_id', 'uuid', (row) => row.projectId),
  column('logged_at', 'timestamptz', (row) => row.loggedAt),
  column('id', 'uuid', (row) => row.id),
  column('key_id', 'uuid', (row) => row.keyId),
  column('provider', 'text', (row) => row.event.provider),
  column('model', 'text', (row) => row.event.model),
  column('alias', 'text', (row) => row.event.alias),
  column('profile', 'text', (row) => row.event.profile),
  column('origin', 'text', (row) => row.event.origin),
  column('id_at_origin', 'text', (row) => row.event.idAtOrigin),
  column('conversation_id', 'text', (row) => row.event.conversationId),
  column('input_tokens', 'bigint', (row) => row.event.tokens.input_tokens),
  column('output_tokens', 'bigint', (row) => row.event.tokens.output_tokens),
  column('cached_input_tokens', 'bigint', (row) => row.event.tokens.cached_input_tokens),
  column('cache_read_input_tokens', 'bigint', (row) => row.event.tokens.cache_read_input_tokens),
  column('cache_write_5m_input_tokens', 'bigint', (row) => row.event.tokens.cache_write_5m_input_tokens),
  column('cache_write_1h_input_tokens', 'bigint', (row) => row.event.tokens.cache_write_1h_input_tokens),
  column('reasoning_tokens', 'bigint', (row) => row.event.tokens.reasoning_tokens),
  column('input_tokens_include_cache', 'boolean', (row) => row.event.tokens.input_tokens_include_cache ?? true),
  column('latency_ms', 'double precision', (row) => row.event.latencyMs),
  column('cost', 'numeric', (row) => row.cost),
  column('reported_cost', 'numeric', (row) => row.reportedCost),
  column('computed_cost', 'numeric', (row) => row.computedCost),
  column('cost_status', 'text', (row) => row.status),
  column('registry_provider_version', 'text', (row) => row.registryVersion),
  column('unit_prices', 'jsonb', (row) => jsonOf(row.unitPrices)),
  column('metadata', 'jsonb', (row) => row.event.metadata),
]

/** About what a waiting row occupies, in bytes. */
export function rowBytes(row: UsageRow): number {
  const { event } = row
  const names = event.provider.length + event.model.length + (event.alias?.length ?? 0) + (event.origin?.length ?? 0)
  const ids = (event.profile?.length ?? 0) + (event.idAtOrigin?.length ?? 0) + (event.conversationId?.length ?? 0)
  return 1_024 + 2 * (names + ids + (event.metadata?.length ?? 0))
}
