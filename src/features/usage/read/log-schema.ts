import { z } from '@hono/zod-openapi'
import { instant } from '../../../http/instant.js'
import { queryInteger } from '../../../http/query-values.js'
import { COST_STATUSES } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import { costStatus, decimal, dollars, periodFields } from '../schema.js'

const recorded = () => z.number().int().nullable()

const EarlierPrice = z
  .object({
    cost: decimal(),
    computed_cost: decimal().nullable(),
    cost_status: costStatus(),
    registry_provider_version: z.string().nullable(),
    unit_prices: z.record(z.string(), z.string()).nullable(),
    repriced_at: instant(),
    job_id: z.uuid(),
  })
  .openapi('EarlierPrice', { description: 'What an event was priced with before, and what changed that.' })

const LogEntry = z
  .object({
    id: z.uuid(),
    logged_at: instant(),
    provider: z.string(),
    model: z.string(),
    alias: z.string().nullable(),
    profile: z.string().nullable(),
    origin: z.string().nullable(),
    id_at_origin: z.string().nullable(),
    conversation_id: z.string().nullable(),
    input_tokens: recorded(),
    output_tokens: recorded(),
    cached_input_tokens: recorded(),
    cache_read_input_tokens: recorded(),
    cache_write_5m_input_tokens: recorded(),
    cache_write_1h_input_tokens: recorded(),
    reasoning_tokens: recorded(),
    input_tokens_include_cache: z.boolean(),
    latency_ms: z.number().nullable(),
    cost: dollars(),
    cost_decimal: decimal(),
    cost_status: costStatus(),
    computed_cost: decimal().nullable(),
    reported_cost: decimal().nullable(),
    registry_provider_version: z.string().nullable().openapi({ example: 'openai@7' }),
    unit_prices: z.record(z.string(), z.string()).nullable(),
    metadata: z.record(z.string(), z.unknown()).nullable(),
    previous_cost: decimal().nullable().openapi({ description: 'What it cost before it was repriced the last time.' }),
    repriced_cost: decimal()
      .nullable()
      .openapi({ description: 'What it would cost, had no receipt certified its cost when it was repriced.' }),
    earlier_prices: z.array(EarlierPrice).nullable(),
  })
  .openapi('UsageLog')
export type UsageLog = z.output<typeof LogEntry>

const nextCursor = () => z.string().nullable().openapi({ description: 'For `after`; null if nothing follows.' })
const LogPage = z.object({ logs: z.array(LogEntry), next_cursor: nextCursor() }).openapi('UsageLogPage')
export const LogList = z.union([z.array(LogEntry), LogPage]).openapi('UsageLogList')

const exactName = () =>
  z
    .string()
    .max(2 * USAGE_LIMITS.nameCharactersMax)
    .optional()
const filterFields = {
  provider: exactName(),
  model: exactName(),
  alias: exactName(),
  profile: exactName(),
  origin: exactName(),
  cost_status: z.enum(COST_STATUSES).optional(),
}
const after = (description: string) =>
  z.string().max(USAGE_LIMITS.cursorCharactersMax).optional().openapi({ description })

export const LogsQuery = z
  .object({
    limit: queryInteger(1, USAGE_LIMITS.pageItemsMax).default(50),
    offset: queryInteger(0, USAGE_LIMITS.pageOffsetMax).default(0),
    after: after('`next_cursor` of the page before, of the same project, start and filters. Not with `offset`.'),
    paged: z
      .enum(['true', 'false'])
      .default('false')
      .openapi({ description: '`true`, or an `after`: the answer is `{logs, next_cursor}` instead of an array.' }),
    ...periodFields,
    ...filterFields,
  })
  .refine(({ after, offset }) => after === undefined || offset === 0, {
    path: ['offset'],
    message: 'must not be sent together with after',
  })

export const ExportQuery = z.object({
  format: z.enum(['ndjson', 'csv', 'parquet']).default('ndjson'),
  after: after('A `cursor` of a row, or `next_cursor` of the last line, of the same project, start and filters.'),
  formulas: z.enum(['escape', 'keep']).default('escape').openapi({
    description:
      "CSV: a cell that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a carriage return) gets a `'` in front, unless `keep`.",
  }),
  ...periodFields,
  ...filterFields,
})
