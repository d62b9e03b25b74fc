import { z } from '@hono/zod-openapi'
import type { JsonObject } from '../../http/body/json-object.js'
import { instant } from '../../http/instant.js'
import { COST_STATUSES, type SentEvent } from './event.js'
import { USAGE_LIMITS } from './limits.js'
import { costRange, sentEventOf } from './record/sent-event.js'

const { nameCharactersMax, tokensPerKindMax, reportedCostUsdMax, latencyMsMax, metadataBytesMax } = USAGE_LIMITS

/** Counts characters, not UTF-16 units: a name of emoji is as long as it looks. */
const isShort = (text: string) =>
  text.length <= nameCharactersMax || (text.length <= 2 * nameCharactersMax && [...text].length <= nameCharactersMax)
const SHORT = `must have at most ${nameCharactersMax} characters`

const name = () =>
  z
    .string()
    .min(1)
    .max(2 * nameCharactersMax, SHORT)
    .refine(isShort, SHORT)
    .openapi({ maxLength: nameCharactersMax })
const optionalName = () =>
  z
    .string()
    .max(2 * nameCharactersMax, SHORT)
    .refine(isShort, SHORT)
    .nullish()
    .openapi({ maxLength: nameCharactersMax })

// Clients in the field send numbers as strings, too. One spelling of each is taken: `" 10"`, `"010"` and `"1e3"` are
// mistakes, and a client that makes them should hear of it.
const WHOLE = /^(0|[1-9]\d{0,12})$/
const DECIMAL = /^(0|[1-9]\d{0,12})(\.\d{1,32})?$/
const COUNT = `must be a whole number from 0 to ${tokensPerKindMax}, or the digits of one`
const count = () => {
  const whole = z.int().min(0).max(tokensPerKindMax)
  return z.union([whole, z.string().regex(WHOLE).transform(Number).pipe(whole)], COUNT).nullable()
}
const upTo = (most: number) => z.number().min(0).max(most)
const latency = () => {
  const known = upTo(latencyMsMax)
  return z
    .union(
      [known, z.string().regex(DECIMAL).transform(Number).pipe(known)],
      `must be from 0 to ${latencyMsMax}, as a number or as plain decimal digits`,
    )
    .nullish()
}
/** A string stays one: its decimal is exact. */
const cost = () => z.union([upTo(reportedCostUsdMax), z.string().regex(DECIMAL)], costRange).nullish()

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
// Not z.record: that one drops a member which is called __proto__.
const metadata = () =>
  z
    .custom<JsonObject>(isObject, 'must be an object')
    .nullish()
    .openapi({ type: ['object', 'null'], description: `An object of at most ${metadataBytesMax} bytes of JSON.` })

const LogFields = z.object({
  provider: name(),
  model: name(),
  input_tokens: count().openapi({ description: 'null if unknown.' }),
  output_tokens: count().openapi({ description: 'null if unknown.' }),
  cached_input_tokens: count().default(0).openapi({ description: 'Part of input_tokens.' }),
  cache_read_input_tokens: count().optional().openapi({ description: 'Beside input_tokens.' }),
  cache_write_5m_input_tokens: count().optional().openapi({ description: 'Beside input_tokens.' }),
  cache_write_1h_input_tokens: count().optional().openapi({ description: 'Beside input_tokens.' }),
  reasoning_tokens: count().optional().openapi({ description: 'Part of output_tokens.' }),
  input_tokens_include_cache: z
    .boolean()
    .nullish()
    .openapi({ description: 'false: cached_input_tokens stand beside input_tokens, as Anthropic counts.' }),
  alias: optionalName(),
  profile: optionalName(),
  cost: cost().openapi({ description: "The caller's own cost in USD; it is the cost. A decimal string is exact." }),
  latency_ms: latency(),
  origin: optionalName(),
  id_at_origin: optionalName(),
  conversation_id: optionalName(),
  metadata: metadata(),
  timestamp: z.string().max(64).nullish().openapi({
    description: 'When it happened, if not now: a date and time (UTC if it has no offset), in the past.',
    example: '2026-01-31T12:00:00Z',
  }),
  idempotency_key: z
    .string()
    .max(2 * USAGE_LIMITS.idempotencyKeyCharactersMax, SHORT)
    .refine(isShort, SHORT)
    .nullish()
    .openapi({ description: 'The same event with the same key again is answered as before, and recorded once.' }),
})

/** One event, checked as a whole. */
export const LogBody = LogFields.transform((fields, context): SentEvent => {
  const read = sentEventOf(fields)
  if (read.ok) return read.sent
  context.addIssue({ code: 'custom', path: [read.field], message: read.message })
  return z.NEVER
}).openapi('LogUsage')

export const decimal = () => z.string().openapi({ description: 'USD, 12 places.', example: '0.000384000000' })
export const dollars = () => z.number().openapi({ description: 'USD; the decimal is exact.', example: 0.000384 })
export const costStatus = () =>
  z.enum(COST_STATUSES).openapi({ description: 'reported, priced and free are known costs; the others count as 0.' })
export const Logged = z
  .object({
    log_id: z.uuid(),
    cost: dollars(),
    timestamp: instant(),
    cost_status: costStatus(),
    cost_decimal: decimal(),
    computed_cost: decimal().nullable(),
    reported_cost: decimal().nullable(),
  })
  .openapi('LoggedUsage')

export const periodFields = {
  start_date: z.string().max(64).optional().openapi({ description: 'A date (its whole day, UTC) or a date and time.' }),
  end_date: z
    .string()
    .max(64)
    .optional()
    .openapi({ description: 'Included, a date with its whole day. Before the start: an empty period.' }),
}

const MOST_NAMES = `Of the ${USAGE_LIMITS.statsNamesMax} combinations with the most requests; the others together as \`(other)\`.`
const amount = () => z.number().int()
const milliseconds = () => z.number().openapi({ description: 'At most 2 % off.', example: 812.4 })
const percentiles = () =>
  z
    .object({
      requests: amount().openapi({ description: 'Those that said how long they took.' }),
      ...{ p50_ms: milliseconds(), p90_ms: milliseconds(), p95_ms: milliseconds(), p99_ms: milliseconds() },
    })
    .nullable()
    .optional()
    .openapi('UsageLatency')
const tally = () =>
  z
    .object({ requests: amount(), cost: decimal(), input_tokens: amount(), output_tokens: amount() })
    .openapi('UsageTally')

export const Stats = z.object({
  summary: z.object({
    total_requests: amount(),
    total_cost: decimal(),
    total_tokens: amount().openapi({ description: 'Input and output.' }),
    unique_models: amount().openapi({ description: '`(other)` is one.' }),
    unique_origins: amount(),
    latency: percentiles(),
    unpriced_requests: amount().openapi({ description: 'Requests whose cost is unknown; they count as 0.' }),
    folded_requests: amount().optional().openapi({
      description: 'Requests whose names are `(other)`, since too many occurred together; absent if there are none.',
    }),
  }),
  by_day: z.array(
    z.object({
      date: z.string().openapi({
        description: "The period's first day; weeks start on Monday. Of hours their beginning, with its offset.",
        example: '2026-01-05',
      }),
      requests: amount(),
      cost: decimal(),
      top_model: z.string(),
      latency: percentiles(),
    }),
  ),
  by_model: z
    .record(z.string(), tally().extend({ latency: percentiles() }).openapi('UsageModelTally'))
    .openapi({ description: MOST_NAMES }),
  by_origin: z
    .record(z.string(), z.object({ requests: amount(), cost: dollars() }))
    .openapi({ description: MOST_NAMES }),
  by_alias: z.record(z.string(), tally()).openapi({ description: MOST_NAMES }),
})
