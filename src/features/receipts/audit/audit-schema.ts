import { z } from '@hono/zod-openapi'
import { wholeNumber } from '../schema.js'

export const AuditQuery = z.object({
  from_seq: wholeNumber()
    .transform(Number)
    .refine((seq) => seq >= 1 && Number.isSafeInteger(seq), 'must be from 1 to 2^53 - 1')
    .default(1)
    .openapi({ type: 'integer', minimum: 1, default: 1 }),
  limit: wholeNumber()
    .transform(Number)
    .refine((limit) => limit >= 1 && Number.isSafeInteger(limit), 'must be from 1 to 2^53 - 1')
    .optional()
    .openapi({ type: 'integer', minimum: 1, description: 'Default: all there are.' }),
})
export const AuditPackage = z.string().openapi('AuditPackage', { description: 'One JSON object a line.' })
export const ErasedReceipt = z
  .object({
    receipt_id: z.string(),
    deleted: z.literal(true),
    entry: z.string().openapi({ description: 'What stays in the log: sha256: and 64 hex digits.' }),
  })
  .openapi('ErasedReceipt')
