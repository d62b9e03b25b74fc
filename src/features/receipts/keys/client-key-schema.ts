import { z } from '@hono/zod-openapi'
import { foreignReceiptIdCharsMax, isForeignReceiptId } from '../../../core/proof/index.js'
import { instant } from '../../../http/instant.js'
import { RECEIPT_LIMITS } from '../limits.js'

const KEY_ID = `must be 1 to ${foreignReceiptIdCharsMax} characters, none of them a control`
const keyId = () => z.string().refine(isForeignReceiptId, KEY_ID)
const shown = { minLength: 1, maxLength: foreignReceiptIdCharsMax }
const label = () => z.string().min(1).max(RECEIPT_LIMITS.labelCharactersMax).refine(isPlain, 'holds U+0000')
const time = () =>
  z.iso
    .datetime({ offset: true })
    .nullish()
    .openapi({ type: ['string', 'null'], format: 'date-time' })

function isPlain(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

export const ClientKeyBody = z
  .object({
    public_key: z
      .string()
      .openapi({ description: '32 bytes, base64url without padding.', minLength: 43, maxLength: 43 }),
    key_id: keyId()
      .nullish()
      .openapi({ ...shown, description: 'What receipts name it; default: its RFC 7638 thumbprint.' }),
    label: label().nullish(),
    not_before: time(),
    not_after: time(),
  })
  .openapi('RegisterReceiptKey')

const ClientKey = z
  .object({
    key_id: z.string(),
    public_key: z.string(),
    algorithm: z.literal('Ed25519'),
    label: z.string().nullable(),
    not_before: instant().nullable(),
    not_after: instant().nullable(),
    created_at: instant(),
  })
  .openapi('RegisteredReceiptKey')
export const ClientKeyResponse = ClientKey
export const ClientKeyList = z.object({ keys: z.array(ClientKey) }).openapi('RegisteredReceiptKeys')
export const ClientKeyPath = z.object({ kid: keyId().openapi({ ...shown, example: 'key-of-a-partner' }) })
export const ClientKeyRemoved = z.object({ deleted: z.boolean() }).openapi('ReceiptKeyRemoved')
