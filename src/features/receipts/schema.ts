import { z } from '@hono/zod-openapi'
import { isJsonObject, type JsonObject } from '../../core/json/index.js'
import {
  foreignReceiptIdCharsMax,
  isForeignReceiptId,
  isIssuedReceiptId,
  legacyReceiptRule,
  receiptCalculationCharsMax,
  receiptCountersMax,
  receiptTextCharsMax,
} from '../../core/proof/index.js'
import { instant } from '../../http/instant.js'
import { limited } from '../../http/limited.js'
import { ReceiptProof } from './audit/log-schema.js'
import { OURS } from './issue/plain-issue.js'
import { RECEIPT_LIMITS } from './limits.js'
import { isReachableId, UNREACHABLE_ID } from './reachable-id.js'

const { pageReceiptsMax, pageReceiptsDefault, offsetReceiptsMax } = RECEIPT_LIMITS

const FLAT_SHAPE =
  'is required. What is issued has the nested shape, tokens {input, output} and cost {amount}; the flat one (receipt_id, prompt_tokens, total_cost, …) can be stored and verified.'

/** For the document; `core/proof` decides. */
const AMOUNT = '^-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d{1,3})?$'

const freeText = () => z.string().max(receiptTextCharsMax)
const count = () => z.number().int().min(0)
const object = () =>
  z.custom<JsonObject>(isJsonObject, 'must be an object').openapi({ type: 'object', additionalProperties: true })
/** Says what the shape would have been if a whole member is missing. */
const nestedOnly = (issue: { readonly input?: unknown }) => (issue.input === undefined ? FLAT_SHAPE : undefined)

const tokens = limited(
  receiptCountersMax,
  z
    .object({ input: count(), output: count(), cached_input: count().nullish() }, { error: nestedOnly })
    .catchall(count().nullable()),
)
const cost = z.looseObject(
  {
    amount: z.union([z.string().openapi({ pattern: AMOUNT }), z.number()]).openapi({
      description: 'US dollars, at most 12 places behind the point. A decimal string is exact.',
    }),
    calculation: z.string().max(receiptCalculationCharsMax).nullish(),
    currency: z
      .literal('USD')
      .nullish()
      .openapi({ enum: ['USD', null] }),
    unit_prices: limited(receiptCountersMax, z.record(z.string(), z.string())).nullish(),
  },
  { error: nestedOnly },
)

export const IssueBody = z
  .looseObject({
    id: z
      .string()
      .refine(isIssuedReceiptId, 'must be 1 to 128 of A-Z a-z 0-9 . _ : -')
      .refine(isReachableId, UNREACHABLE_ID)
      .nullish()
      .openapi({
        ...{ pattern: '^[A-Za-z0-9._:-]{1,128}$', example: 'call-4711' },
        description: 'Makes the request repeatable. Without one, every request is a new receipt.',
      }),
    timestamp: z
      .string()
      .nullish()
      .openapi({
        ...{
          pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,24})?Z?$',
          example: '2026-01-31T12:00:00.000Z',
        },
        description: 'When the call was made, RFC 3339 in UTC; the Z may be missing. Default: now.',
      }),
    registry_version: freeText().nullish().openapi({
      description:
        'Default: the current version of the provider’s registry file, or of the whole registry if that does not have the provider.',
      example: 'openai@7',
    }),
    provider: freeText().nullish(),
    model: freeText().min(1).openapi({ example: 'openai:gpt-4o-mini' }),
    alias: freeText(),
    profile: freeText().nullish().openapi({ description: 'Default: `default`.' }),
    lock_digest: freeText(),
    key_id: z.string().nullish().openapi({ description: 'Must be the current key where it is sent.' }),
    tokens,
    cost,
  })
  .superRefine((body, context) => {
    for (const name of OURS) {
      if ((body[name] ?? null) === null) continue
      context.addIssue({ code: 'custom', path: [name], message: 'is stated by the service; leave it out' })
    }
  })
  .openapi('IssueReceipt')
export type IssueInput = z.output<typeof IssueBody>

export const StoreBody = z.object({ receipt: object() }).openapi('StoreReceipt')
export const VerifyBody = object().openapi('ReceiptToVerify', { type: 'object', additionalProperties: true })

export const ReceiptPath = z.object({
  id: z
    .string()
    .refine(isForeignReceiptId, `must be 1 to ${foreignReceiptIdCharsMax} characters, none of them a control`)
    .openapi({ minLength: 1, maxLength: foreignReceiptIdCharsMax, example: 'call-4711' }),
})

/** Digits only: what other readers of numbers take for a number too (`1e9`, ` 5`, `0x10`) is a mistake here. */
export const wholeNumber = () => z.string().regex(/^\d{1,64}$/, 'must be a whole number in digits')
export const PageQuery = z.object({
  limit: wholeNumber()
    .transform(Number)
    .refine((limit) => limit >= 1, 'must be at least 1')
    .transform((limit) => Math.min(limit, pageReceiptsMax))
    .default(pageReceiptsDefault)
    .openapi({
      type: 'integer',
      minimum: 1,
      description: `At most ${pageReceiptsMax}; a larger one is taken as that.`,
    }),
  offset: wholeNumber()
    .transform(Number)
    .refine((offset) => offset <= offsetReceiptsMax, `must be at most ${offsetReceiptsMax}`)
    .default(0)
    .openapi({ type: 'integer', minimum: 0, maximum: offsetReceiptsMax, default: 0 }),
})

export const IssuedReceipt = z
  .object({
    id: z.string(),
    timestamp: instant().openapi({ description: 'The client’s claim, byte for byte.' }),
    issued_at: instant().openapi({ description: 'Our clock.' }),
    issuer: z.string(),
    project: z.uuid(),
    registry_version: z.string(),
    provider: z.string().optional(),
    model: z.string(),
    alias: z.string(),
    profile: z.string(),
    lock_digest: z.string(),
    tokens: z.record(z.string(), z.number().int()),
    cost: z.object({
      amount: z.string().openapi({ description: 'US dollars, 12 places.', example: '0.000270000000' }),
      calculation: z.string().optional(),
      currency: z.literal('USD'),
      unit_prices: z.record(z.string(), z.string()).optional(),
    }),
    evidence: z.enum(['client_reported', 'server_observed']).openapi({
      description: 'Who saw the call: the client that made it, or the gateway, through which it went.',
    }),
    seq: z.number().int().min(1).openapi({ description: 'Of the receipts issued to the project, without a gap.' }),
    prev: z
      .string()
      .nullable()
      .openapi({
        ...{ pattern: '^sha256:[0-9a-f]{64}$' },
        description: 'The log entry of the receipt before it: the SHA-256 of its canonical bytes. null for the first.',
      }),
    log: z
      .object({ origin: z.string(), max_merge_delay_seconds: z.number().int() })
      .openapi({ description: 'The log that it is in, so many seconds after `issued_at` at the latest.' }),
    key_id: z.string(),
    signature: z.string().openapi({ description: 'ed25519: and base64url, over RFC 8785 of all other members.' }),
  })
  .openapi('IssuedReceipt')
export const IssueResponse = z.union([
  IssuedReceipt,
  z.object({ receipt: IssuedReceipt, log_proof: ReceiptProof.nullable() }).openapi('IssuedWithProof'),
])
export const SignedReceipt = z.looseObject({ signature: z.string() }).openapi('SignedReceipt', {
  description: 'A receipt exactly as it was signed, in the nested or the flat shape.',
})
const legacyRule = () => z.literal(legacyReceiptRule)
const Legacy = z
  .object({
    valid: z.literal(true),
    rule: legacyRule(),
    key_id: z.string().openapi({ description: 'The key that it verified under.' }),
    unsigned_members: z.array(z.string()).openapi({
      description: 'The signature does not cover these: whoever passed the receipt on may have written them.',
    }),
  })
  .openapi('LegacyReceipt', { description: 'How a receipt holds that does not verify as it stands.' })
export const ReceiptPageResponse = z
  .object({
    receipts: z.array(SignedReceipt),
    legacy: z
      .array(z.object({ receipt_id: z.string(), rule: legacyRule() }))
      .openapi({ description: 'The receipts of this page that hold by the legacy rule only.' }),
    total: z.number().int(),
    limit: z.number().int(),
    offset: z.number().int(),
  })
  .openapi('ReceiptPage')
export const StoredResponse = z
  .object({
    receipt_id: z.string(),
    status: z.literal('verified'),
    legacy: Legacy.optional(),
    log_proof: ReceiptProof.nullish(),
  })
  .openapi('StoredReceipt')
export const VerifyResponse = z
  .object({
    receipt_id: z.string().nullable(),
    valid: z.boolean(),
    algorithm: z.literal('Ed25519'),
    key_id: z.string().nullable().openapi({ description: 'The key that it verified under.' }),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    legacy: Legacy.optional(),
  })
  .openapi('ReceiptVerification')

const jwk = { kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), kid: z.string() }
export const PublicKeyJwk = z.object(jwk).openapi('PublicKeyJwk', { description: 'RFC 8037.' })
export const KeyStatements = z.string().openapi('ReceiptKeyStatements', { description: 'NDJSON.' })
export const PublicKeyPem = z.string().openapi('PublicKeyPem', { description: 'SubjectPublicKeyInfo, RFC 8410.' })
export const PublicKeys = z
  .object({
    keys: z.array(
      z.object({
        ...{
          key_id: z.string(),
          public_key: z.string(),
          algorithm: z.literal('Ed25519'),
          format: z.literal('base64url'),
        },
        ...jwk,
        status: z.enum(['active', 'retired']),
        not_before: instant().nullable(),
        not_after: instant().nullable().openapi({ description: 'When a newer key was first used.' }),
      }),
    ),
    current_key_id: z.string().nullable().openapi({ description: 'null if no key is configured any more.' }),
  })
  .openapi('PublicKeys')
