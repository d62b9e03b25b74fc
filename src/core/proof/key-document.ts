import { checkPublicKey, decodeBase64url, type PublicKey } from '../ed25519/index.js'
import { isJsonObject, type JsonObject, type JsonValue } from '../json/index.js'
import { isForeignReceiptId } from './receipt-id.js'
import { checkTimestamp } from './receipt-timestamp.js'

/** Each costs a check of about a millisecond. */
export const keysMax = 1_024

/** A key that may sign receipts, and when; milliseconds since 1970, null for no bound. */
export type PinnedKey = {
  readonly key: PublicKey
  readonly notBefore: number | null
  readonly notAfter: number | null
}

export type PinnedKeys = ReadonlyMap<string, PinnedKey>

type KeyDocumentResult =
  | { readonly ok: true; readonly keys: PinnedKeys }
  | { readonly ok: false; readonly detail: string }

/**
 * Reads a document of public keys as /receipts/public-keys.json serves it (`{keys: [{kid, x, not_before, not_after}]}`),
 * or a single JWK. Every key is checked by the verification rule; one that fails refuses the whole.
 */
export function readKeyDocument(value: JsonValue): KeyDocumentResult {
  const listed = isJsonObject(value) && Array.isArray(value['keys']) ? value['keys'] : [value]
  if (listed.length === 0 || listed.length > keysMax) return refusal(`It lists ${listed.length} keys.`)
  const keys = new Map<string, PinnedKey>()
  for (const [at, item] of listed.entries()) {
    const read = isJsonObject(item) ? readKey(item) : 'It is no JSON object.'
    if (typeof read === 'string') return refusal(`Key ${at + 1}: ${read}`)
    if (keys.has(read.keyId)) return refusal(`Key ${at + 1}: the id ${JSON.stringify(read.keyId)} occurs twice.`)
    keys.set(read.keyId, read)
  }
  return { ok: true, keys }
}

function readKey(item: JsonObject): (PinnedKey & { readonly keyId: string }) | string {
  const keyId = item['kid'] ?? item['key_id']
  const x = item['x'] ?? item['public_key']
  if (typeof keyId !== 'string' || !isForeignReceiptId(keyId)) return 'it has no id.'
  const bytes = typeof x === 'string' ? decodeBase64url(x, 32) : null
  if (bytes === null) return 'it has no x of 32 bytes in base64url.'
  const checked = checkPublicKey(bytes)
  if (!checked.ok) return `it is no key to rely on (${checked.reason}).`
  const notBefore = readInstant(item['not_before'])
  const notAfter = readInstant(item['not_after'])
  if (notBefore === undefined || notAfter === undefined) return 'not_before or not_after is no instant.'
  return { keyId, key: checked.key, notBefore, notAfter }
}

/** Milliseconds since 1970; null where nothing is said, undefined where it is no instant. */
export function readInstant(value: JsonValue | undefined): number | null | undefined {
  if (value === undefined || value === null) return null
  const checked = typeof value === 'string' ? checkTimestamp(value, Number.POSITIVE_INFINITY) : null
  return checked?.ok ? checked.epochMs : undefined
}

function refusal(detail: string): { readonly ok: false; readonly detail: string } {
  return { ok: false, detail }
}
