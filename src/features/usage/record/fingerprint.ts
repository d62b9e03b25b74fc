import { sha256HexOf } from '../../../platform/sha256.js'
import type { SentEvent } from '../event.js'

/**
 * SHA-256 (hexadecimal) of all that a caller said of an event but its idempotency key: two events with the same one are
 * the same, however their JSON was written.
 */
export function fingerprint({ event, happenedMs }: SentEvent): string {
  const { tokens } = event
  const counts = [
    ...[tokens.input_tokens, tokens.output_tokens, tokens.cached_input_tokens, tokens.cache_read_input_tokens],
    ...[tokens.cache_write_5m_input_tokens, tokens.cache_write_1h_input_tokens, tokens.reasoning_tokens],
  ]
  const names = [event.provider, event.model, event.alias, event.profile, event.origin]
  const ids = [event.idAtOrigin, event.conversationId]
  const reported = event.reportedPico === null ? null : String(event.reportedPico)
  const said = [names, ids, counts, tokens.input_tokens_include_cache ?? true, event.latencyMs, reported, happenedMs]
  return sha256HexOf(`${JSON.stringify(said)}${event.metadata ?? ''}`)
}
