import { z } from '@hono/zod-openapi'
import type { ParsedItem } from '../../../http/body/parse-json.js'
import type { SentEvent } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import { LogBody, Logged } from '../schema.js'

/** The items were checked one by one, each for itself. */
export const BatchBody = z
  .array(LogBody)
  .max(USAGE_LIMITS.batchItemsMax)
  .transform((events): ParsedItem<SentEvent>[] => events.map((value) => ({ ok: true, value })))
  .openapi('LogUsageBatch')

const count = (description: string) => z.number().int().openapi({ description })

const Refused = z
  .object({
    status: z.number().int().openapi({ description: 'As the event alone would have been answered.', example: 422 }),
    code: z.string().openapi({ example: 'validation-failed' }),
    detail: z.string(),
    errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  })
  .openapi('RefusedUsage')

export const LoggedBatch = z
  .object({
    recorded: count('Events that were written by this request.'),
    replayed: count('Events that were written before, by the same idempotency key.'),
    refused: count('Events that were not written.'),
    results: z
      .array(z.union([Logged.extend({ status: z.literal(200) }).openapi('RecordedUsage'), Refused]))
      .openapi({ description: 'One for each event, in the order of the events.' }),
  })
  .openapi('LoggedUsageBatch')
