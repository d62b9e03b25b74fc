import { type CanonicalResult, canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../json/index.js'
import { isForeignReceiptId } from './receipt-id.js'

/** The two shapes in the field: `nested` has `id`, `tokens{}` and `cost{}`; `flat` has `receipt_id` and no key id. */
type ReceiptShape = 'nested' | 'flat'

/** What every receipt says, whoever issued it. */
export interface ReadReceipt {
  readonly shape: ReceiptShape
  readonly id: string
  /** The one key it may verify under; null if it names none. */
  readonly keyId: string | null
  /** The signature as text, not looked at yet. */
  readonly signature: string
  /** Every member but `signature`: what the signature covers. */
  readonly unsigned: JsonObject
}

export type ReceiptFault = 'not-an-object' | 'no-id' | 'ambiguous-id' | 'bad-id' | 'bad-key-id' | 'no-signature'

export type ReadReceiptResult =
  | ({ readonly ok: true } & ReadReceipt)
  | { readonly ok: false; readonly reason: ReceiptFault; readonly id: string | null }

/**
 * Reads what verification needs from a receipt in either shape. Lenient about everything that the signature covers
 * anyway; bounded in the ids, which end up in keys and answers. A receipt with both `id` and `receipt_id` is refused:
 * two readers could take it for two receipts. `key_id: null` and no `key_id` are the same; any other must be an id.
 */
export function readReceipt(value: unknown): ReadReceiptResult {
  if (!isJsonObject(value)) return { ok: false, reason: 'not-an-object', id: null }
  const shape = shapeOf(value)
  if (shape !== 'nested' && shape !== 'flat') return { ok: false, reason: shape, id: null }
  const id = own(value, shape === 'nested' ? 'id' : 'receipt_id')
  if (typeof id !== 'string' || !isForeignReceiptId(id)) return { ok: false, reason: 'bad-id', id: null }
  const keyId = own(value, 'key_id') ?? null
  if (keyId !== null && (typeof keyId !== 'string' || !isForeignReceiptId(keyId))) {
    return { ok: false, reason: 'bad-key-id', id }
  }
  const signature = own(value, 'signature')
  if (typeof signature !== 'string') return { ok: false, reason: 'no-signature', id }
  return { ok: true, shape, id, keyId, signature, unsigned: withoutSignature(value) }
}

/** The bytes that a receipt's signature covers: RFC 8785 over every member but `signature`. */
export function signedBytes(receipt: ReadReceipt): CanonicalResult {
  return canonicalJson(receipt.unsigned)
}

function shapeOf(receipt: JsonObject): ReceiptShape | ReceiptFault {
  const nested = Object.hasOwn(receipt, 'id')
  const flat = Object.hasOwn(receipt, 'receipt_id')
  if (nested && flat) return 'ambiguous-id'
  if (!nested && !flat) return 'no-id'
  return nested ? 'nested' : 'flat'
}

function own(receipt: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(receipt, name) ? receipt[name] : undefined
}

function withoutSignature(receipt: JsonObject): JsonObject {
  // Rest properties copy with CreateDataProperty, so a member named `__proto__` stays a member.
  const { signature: _, ...unsigned } = receipt
  return unsigned
}
