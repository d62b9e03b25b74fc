import type { SignatureTextFault, SignatureTextResult } from '../ed25519/index.js'
import type { CanonicalResult, PlainJsonFault } from '../json/index.js'
import type { ReadReceiptResult, ReceiptFault } from './receipt.js'

type ReceiptCheckName = 'structure' | 'canonical' | 'key' | 'signature-encoding' | 'signature'

/** One step of a verification, in words that a person can act on. */
export interface ReceiptCheck {
  readonly name: ReceiptCheckName
  readonly ok: boolean
  readonly detail: string
}

const STRUCTURE_DETAIL: Record<ReceiptFault, string> = {
  'not-an-object': 'A receipt is a JSON object.',
  'no-id': 'It has neither id nor receipt_id.',
  'ambiguous-id': 'It has both id and receipt_id, so two readers could take it for two receipts.',
  'bad-id': 'Its id is not a string of 1 to 255 characters without controls.',
  'bad-key-id': 'Its key_id is not a string of 1 to 255 characters without controls.',
  'no-signature': 'It has no signature member that is a string.',
}

const CANONICAL_DETAIL: Record<PlainJsonFault, string> = {
  'not-json': 'It holds something that JSON does not have',
  'not-plain': 'It holds an object that is not plain data',
  'lone-surrogate': 'It holds half a surrogate pair',
  'non-finite-number': 'It holds a number that is not finite',
  'unsafe-integer': 'It holds an integer beyond 2^53 - 1, which readers round differently',
  'too-deep': 'It is nested more than 32 levels deep',
  'too-large': 'Its canonical form is longer than 65535 bytes',
}

const ENCODING_DETAIL: Record<SignatureTextFault, string> = {
  'missing-prefix': 'The signature does not start with "ed25519:".',
  'wrong-length': 'The signature is not "ed25519:" and 86 characters.',
  'not-canonical-base64url': 'The signature is not the one base64url spelling of 64 bytes.',
  's-out-of-range': 'The S of the signature is not below the group order.',
  'low-order-r': 'The R of the signature is a point of low order.',
}

const NOT_REACHED = 'Not checked, because an earlier check failed.'

/** Is it a receipt of one of the two shapes. */
export function structureCheck(read: ReadReceiptResult): ReceiptCheck {
  if (!read.ok) return { name: 'structure', ok: false, detail: STRUCTURE_DETAIL[read.reason] }
  return { name: 'structure', ok: true, detail: `A receipt of the ${read.shape} shape.` }
}

/** Has it bytes to verify; null if the structure failed. */
export function canonicalCheck(canonical: CanonicalResult | null): ReceiptCheck {
  const name = 'canonical'
  if (canonical === null) return { name, ok: false, detail: NOT_REACHED }
  if (canonical.ok)
    return { name, ok: true, detail: `The signature covers ${canonical.bytes.length} bytes of RFC 8785.` }
  const where = canonical.pointer === '' ? '.' : `, at ${canonical.pointer}.`
  return { name, ok: false, detail: CANONICAL_DETAIL[canonical.reason] + where }
}

/** Is there a key it may verify under; `candidates` is their number, null if the structure failed. */
export function keyCheck(candidates: number | null, keyId: string | null): ReceiptCheck {
  const name = 'key'
  if (candidates === null) return { name, ok: false, detail: NOT_REACHED }
  if (keyId === null)
    return { name, ok: candidates > 0, detail: `It names no key; ${candidates} known keys are tried.` }
  const detail = candidates > 0 ? `Key ${quoted(keyId)} is known.` : `Key ${quoted(keyId)} is not known here.`
  return { name, ok: candidates > 0, detail }
}

/** Is the signature's text the one spelling of a signature; null if the structure failed. */
export function encodingCheck(signature: SignatureTextResult | null): ReceiptCheck {
  const name = 'signature-encoding'
  if (signature === null) return { name, ok: false, detail: NOT_REACHED }
  if (!signature.ok) return { name, ok: false, detail: ENCODING_DETAIL[signature.reason] }
  return { name, ok: true, detail: '"ed25519:" and 64 bytes in their one spelling.' }
}

/** Does the equation hold: `signer` is the key id it holds for, null for none, undefined if it was not tried. */
export function signatureCheck(signer: string | null | undefined): ReceiptCheck {
  const name = 'signature'
  if (signer === undefined) return { name, ok: false, detail: NOT_REACHED }
  if (signer === null) return { name, ok: false, detail: 'The signature does not fit these bytes and this key.' }
  return { name, ok: true, detail: `Signed with key ${quoted(signer)}.` }
}

function quoted(keyId: string): string {
  return JSON.stringify(keyId)
}
