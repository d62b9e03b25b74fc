import { z } from '@hono/zod-openapi'
import { hasLoneSurrogate } from '../../../core/json/index.js'
import { instant } from '../../../http/instant.js'
import { limited } from '../../../http/limited.js'
import { queryInteger } from '../../../http/query-values.js'
import { BATCH_LIMITS } from '../limits.js'
import { ReceiptPath, SignedReceipt } from '../schema.js'

const { logIdsMax, membersMax, descriptionCharactersMax, tagsMax, tagCharactersMax } = BATCH_LIMITS
const { pageLogsDefault, pageLogsMax, offsetLogsMax } = BATCH_LIMITS

const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => !value.includes('\0') && !hasLoneSurrogate(value), 'holds U+0000 or half a surrogate pair')
const ids = () =>
  limited(logIdsMax, z.array(z.uuid()).min(1))
    .nullish()
    .openapi({
      type: ['array', 'null'],
      items: { type: 'string', format: 'uuid' },
      minItems: 1,
      maxItems: logIdsMax,
    })
const moment = () => z.string().min(1).max(64).nullish()

const selection = {
  log_ids: ids().openapi({ description: 'The `log_id`s that `POST /api/v1/log` answered.' }),
  start_date: moment().openapi({ description: 'With `end_date`: a date (its whole day, UTC) or a date and time.' }),
  end_date: moment().openapi({ description: 'Included, a date with its whole day.' }),
  since_last_receipt: z
    .boolean()
    .nullish()
    .openapi({
      description: `All that no such receipt certifies yet, the oldest first; at most ${membersMax} at a time.`,
    }),
  conversation_id: z.null().optional().openapi({ description: 'Conversations are not kept here.' }),
}
const filled = () => ({ type: 'string' as const, minLength: 1 })
/** For the document; `readSelection` decides. */
const exactlyOne = () => ({
  oneOf: [
    { required: ['log_ids'], properties: { log_ids: { type: 'array' as const } } },
    {
      required: ['start_date', 'end_date'],
      properties: { start_date: filled(), end_date: filled() },
    },
    { required: ['since_last_receipt'], properties: { since_last_receipt: { enum: [true] } } },
  ],
})
export const PreviewBody = z.object(selection).openapi('PreviewReceipt', exactlyOne())
export const GenerateBody = z
  .object({
    ...selection,
    description: text(descriptionCharactersMax).nullish().openapi({ description: 'Signed as it is.' }),
    tags: z.array(text(tagCharactersMax)).max(tagsMax).nullish(),
  })
  .openapi('GenerateReceipt', exactlyOne())
export type SelectionInput = z.output<typeof PreviewBody>

export const GenerateResponse = z
  .object({
    receipt: SignedReceipt,
    certified_count: z.number().int(),
    more: z
      .boolean()
      .openapi({ description: 'Since the last receipt there was more than one receipt holds: ask again.' }),
  })
  .openapi('GeneratedReceipt')

const count = () => z.number().int()
const dollars = () => z.number().openapi({ description: 'US dollars.' })
const decimal = () => z.string().openapi({ description: 'US dollars, 12 places.', example: '0.000270000000' })
const parts = () =>
  z.record(z.string(), z.object({ calls: count(), cost: dollars(), cost_decimal: decimal(), tokens: count() }))
export const PreviewResponse = z
  .object({
    total_logs: count(),
    total_conversations: z.literal(0),
    unpriced_logs: count().openapi({ description: 'Calls whose cost is not known: they count as 0.' }),
    total_tokens: count(),
    total_cost: dollars(),
    total_cost_decimal: decimal(),
    start_date: instant().nullable(),
    end_date: instant().nullable(),
    by_model: parts(),
    by_alias: parts(),
    receipt_type: z.enum(['single', 'batch']),
  })
  .openapi('ReceiptPreview')

const LoggedCall = z
  .object({
    id: z.uuid(),
    type: z.literal('usage'),
    alias: z.string().nullable(),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    input_tokens: count().nullable(),
    output_tokens: count().nullable(),
    cost: dollars().nullable(),
    cost_decimal: decimal().nullable(),
    cost_status: z.string().nullable(),
    timestamp: instant().nullable(),
  })
  .openapi('CertifiableCall', { description: 'Of a call that is not kept any more, only the id is known.' })
const page = { logs: z.array(LoggedCall), total: count(), limit: count(), offset: count() }
export const UncertifiedPage = z.object(page).openapi('UncertifiedCalls')
export const MembersPage = z.object({ receipt_id: z.string(), ...page }).openapi('CertifiedCalls')

export const LogsQuery = z.object({
  limit: queryInteger(1, pageLogsMax).default(pageLogsDefault),
  offset: queryInteger(0, offsetLogsMax).default(0),
})
export const MemberPath = ReceiptPath.extend({ log_id: z.uuid() })

const Member = z
  .object({
    log_id: z.uuid(),
    timestamp: instant(),
    provider: z.string(),
    model: z.string(),
    alias: z.string().nullable(),
    profile: z.string().nullable(),
    tokens: z.record(z.string(), count()),
    cost: decimal(),
    cost_status: z.string(),
  })
  .openapi('CertifiedMember')
const hash = () => z.string().openapi({ description: '32 bytes, base64.' })
export const MembershipProof = z
  .object({
    member: Member.nullable().openapi({ description: 'null once the call is not kept any more: its hash still is.' }),
    leaf_hash: hash().openapi({ description: 'SHA-256 of 0x00 and the RFC 8785 bytes of `member`, base64.' }),
    index: count(),
    count: count(),
    proof: z.array(hash()).openapi({ description: 'From the leaf up (RFC 6962, 2.1.1).' }),
    members_root: z.string().openapi({ example: `sha256:${'0'.repeat(64)}` }),
  })
  .openapi('MembershipProof')
