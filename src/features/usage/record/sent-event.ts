import { checkTokens, picoFromDecimalText, picoFromJsonNumber, type TokenCounts } from '../../../core/pricing/index.js'
import { type JsonObject, jsonBytes } from '../../../http/body/json-object.js'
import type { SentEvent } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import { parseMoment } from '../period.js'

/** The members of an event as they were sent, each checked for itself. */
export type EventFields = TokenCounts & {
  readonly provider: string
  readonly model: string
  readonly alias?: string | null | undefined
  readonly profile?: string | null | undefined
  readonly origin?: string | null | undefined
  readonly id_at_origin?: string | null | undefined
  readonly conversation_id?: string | null | undefined
  readonly cost?: number | string | null | undefined
  readonly latency_ms?: number | null | undefined
  readonly metadata?: JsonObject | null | undefined
  readonly timestamp?: string | null | undefined
  readonly idempotency_key?: string | null | undefined
}

export type SentEventResult =
  | { readonly ok: true; readonly sent: SentEvent }
  | { readonly ok: false; readonly field: string; readonly message: string }

const { nameCharactersMax, tokensPerKindMax, reportedCostUsdMax, latencyMsMax, metadataBytesMax } = USAGE_LIMITS
export const costRange = `must be from 0 to ${reportedCostUsdMax}, as a number or as plain decimal digits`

/** An event, checked as a whole: counts that contradict each other and metadata that is too large are refused. */
export function sentEventOf(fields: EventFields): SentEventResult {
  // An event that waits for its commit would keep all that was sent, its metadata a second time.
  const tokens = countsOf(fields)
  const checked = checkTokens(tokens)
  if (!checked.ok) return refusal(checked.field, checked.message)
  const reported = fields.cost == null ? null : picoOf(fields.cost)
  if (reported?.ok === false) return refusal('cost', costRange)
  const metadata = fields.metadata == null ? null : JSON.stringify(fields.metadata)
  if (metadata !== null && jsonBytes(fields.metadata, metadata) > metadataBytesMax) {
    return refusal('metadata', `must have at most ${metadataBytesMax} bytes of JSON`)
  }
  const happenedMs = fields.timestamp ? momentOf(fields.timestamp) : null
  if (happenedMs === undefined) {
    return refusal('timestamp', 'must be a date and time that exists: 2026-01-31T12:00:00Z')
  }
  const event = {
    provider: fields.provider,
    model: fields.model,
    alias: fields.alias || null,
    profile: fields.profile || null,
    origin: fields.origin || null,
    idAtOrigin: fields.id_at_origin || null,
    conversationId: fields.conversation_id || null,
    tokens,
    parts: checked.parts,
    latencyMs: fields.latency_ms ?? null,
    reportedPico: reported?.pico ?? null,
    metadata,
  }
  return { ok: true, sent: { event, idempotencyKey: fields.idempotency_key || null, happenedMs } }
}

/**
 * The event in a body that is plainly one: numbers where numbers may be, and names of no more UTF-16 units than they may
 * have characters. The same one that the schema would give, in a tenth of its time; undefined leaves it to the schema,
 * which says what is wrong.
 */
export function readPlainEvent(value: unknown): SentEvent | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const fields = value as EventFields
  if (!isName(fields.provider) || !isName(fields.model)) return undefined
  if (fields.input_tokens === undefined || fields.output_tokens === undefined || !hasPlainCounts(fields)) {
    return undefined
  }
  const { cost, latency_ms, metadata, timestamp, idempotency_key } = fields
  const named =
    mayBeText(fields.alias) &&
    mayBeText(fields.profile) &&
    mayBeText(fields.origin) &&
    mayBeText(fields.id_at_origin) &&
    mayBeText(fields.conversation_id) &&
    mayBeText(idempotency_key)
  if (!named || !mayBeNumber(cost, reportedCostUsdMax) || !mayBeNumber(latency_ms, latencyMsMax)) return undefined
  if (metadata != null && (typeof metadata !== 'object' || Array.isArray(metadata))) return undefined
  if (timestamp != null && (typeof timestamp !== 'string' || timestamp.length > 64)) return undefined
  const read = sentEventOf(fields)
  return read.ok ? read.sent : undefined
}

const isName = (value: unknown) => typeof value === 'string' && value.length > 0 && value.length <= nameCharactersMax
const mayBeText = (value: unknown) => value == null || (typeof value === 'string' && value.length <= nameCharactersMax)
const mayBeNumber = (value: unknown, most: number) =>
  value == null || (typeof value === 'number' && value >= 0 && value <= most)

function hasPlainCounts(fields: EventFields): boolean {
  const { input_tokens_include_cache: included } = fields
  return (
    (included == null || typeof included === 'boolean') &&
    mayBeNumber(fields.input_tokens, tokensPerKindMax) &&
    mayBeNumber(fields.output_tokens, tokensPerKindMax) &&
    mayBeNumber(fields.cached_input_tokens, tokensPerKindMax) &&
    mayBeNumber(fields.cache_read_input_tokens, tokensPerKindMax) &&
    mayBeNumber(fields.cache_write_5m_input_tokens, tokensPerKindMax) &&
    mayBeNumber(fields.cache_write_1h_input_tokens, tokensPerKindMax) &&
    mayBeNumber(fields.reasoning_tokens, tokensPerKindMax)
  )
}

const countsOf = (fields: TokenCounts): TokenCounts => ({
  input_tokens: fields.input_tokens,
  output_tokens: fields.output_tokens,
  cached_input_tokens: fields.cached_input_tokens === undefined ? 0 : fields.cached_input_tokens,
  cache_read_input_tokens: fields.cache_read_input_tokens,
  cache_write_5m_input_tokens: fields.cache_write_5m_input_tokens,
  cache_write_1h_input_tokens: fields.cache_write_1h_input_tokens,
  reasoning_tokens: fields.reasoning_tokens,
  input_tokens_include_cache: fields.input_tokens_include_cache,
})

/** A date alone is a day and no moment. */
function momentOf(text: string): number | undefined {
  const moment = parseMoment(text)
  return moment === undefined || moment.untilMs - moment.fromMs > 1 ? undefined : moment.fromMs
}

const picoOf = (usd: number | string) => (typeof usd === 'string' ? picoFromDecimalText(usd) : picoFromJsonNumber(usd))

const refusal = (field: string, message: string): SentEventResult => ({ ok: false, field, message })
