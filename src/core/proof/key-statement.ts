import {
  checkPublicKey,
  decodeBase64url,
  encodeBase64url,
  type PublicKey,
  parseSignature,
  type VerifierDeps,
  verifyParsed,
} from '../ed25519/index.js'
import { canonicalJson, isJsonObject, type JsonObject } from '../json/index.js'
import type { KnownKeys } from './verify-receipt.js'

const TYPE = 'key-statement/v1'

/** That an installation signs with a new key from now on. */
export interface KeyChange {
  /** The log's origin. */
  readonly issuer: string
  /** The key that signed before, and signs this; null if there was none, or it was lost: then the new key signs. */
  readonly oldKeyId: string | null
  readonly newKeyId: string
  readonly newKey: PublicKey
  readonly at: Date
}

/** The statement of a change, to be signed over its RFC 8785 bytes. With its signature it is an entry of the log. */
export function buildKeyStatement({ issuer, oldKeyId, newKeyId, newKey, at }: KeyChange): JsonObject {
  return {
    ...{ type: TYPE, issuer, old_key_id: oldKeyId },
    new_key: { kid: newKeyId, x: encodeBase64url(newKey.bytes) },
    at: at.toISOString(),
  }
}

export type KeyStatementVerdict =
  | {
      readonly ok: true
      readonly oldKeyId: string | null
      readonly newKeyId: string
      readonly newKey: PublicKey
      readonly at: string
    }
  | { readonly ok: false; readonly reason: 'not-a-statement' | 'unsafe-key' | 'unknown-key' | 'bad-signature' }

/**
 * Whether a statement is signed by the key that it names as the old one, out of `keys`, or by the new one if it names
 * none. Hostile input gives a verdict; what the verifier throws is passed on.
 */
export async function verifyKeyStatement(
  deps: VerifierDeps,
  keys: KnownKeys,
  value: unknown,
): Promise<KeyStatementVerdict> {
  const read = isJsonObject(value) ? readStatement(value) : null
  if (read === null) return { ok: false, reason: 'not-a-statement' }
  const { oldKeyId, newKeyId, at, unsigned } = read
  const checked = checkPublicKey(decodeBase64url(read.x) ?? new Uint8Array())
  if (!checked.ok) return { ok: false, reason: 'unsafe-key' }
  const signer = oldKeyId === null ? checked.key : keys.get(oldKeyId)
  if (signer === undefined) return { ok: false, reason: 'unknown-key' }
  const canonical = canonicalJson(unsigned)
  const signature = parseSignature(read.signature)
  if (!canonical.ok || !signature.ok) return { ok: false, reason: 'bad-signature' }
  const isGood = await verifyParsed(deps, signer, canonical.bytes, signature.bytes)
  return isGood ? { ok: true, oldKeyId, newKeyId, newKey: checked.key, at } : { ok: false, reason: 'bad-signature' }
}

function readStatement(value: JsonObject) {
  const { signature, ...unsigned } = value
  const { type, issuer, old_key_id: oldKeyId, new_key: newKey, at } = unsigned
  if (type !== TYPE || typeof issuer !== 'string' || typeof at !== 'string' || typeof signature !== 'string')
    return null
  if (!isJsonObject(newKey) || (oldKeyId !== null && typeof oldKeyId !== 'string')) return null
  const { kid, x } = newKey
  return typeof kid === 'string' && typeof x === 'string'
    ? { oldKeyId, newKeyId: kid, x, at, signature, unsigned }
    : null
}
