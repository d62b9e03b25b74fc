import { decodeBase64url, encodeBase64url } from './base64url.js'
import { startsWithLowOrderPoint } from './low-order-encodings.js'

export const signatureBytes = 64
const PREFIX = 'ed25519:'
const signatureChars = 86

/**
 * L, the order of the base point: 2^252 + 27742317777372353535851937790883648493 (RFC 8032 section 5.1), big-endian.
 */
const GROUP_ORDER: readonly number[] = [
  0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0xde, 0xf9,
  0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
]

/** What can be wrong with the bytes of a signature, before its equation is looked at. */
export type SignatureFault = 'wrong-length' | 's-out-of-range' | 'low-order-r'

export type SignatureTextFault = SignatureFault | 'missing-prefix' | 'not-canonical-base64url'

export type SignatureTextResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: SignatureTextFault }

/** A 64-byte signature as receipts write it: `ed25519:` and 86 characters of unpadded base64url. */
export function formatSignature(bytes: Uint8Array): string {
  return PREFIX + encodeBase64url(bytes)
}

/**
 * Part 2 of the verification rule: `ed25519:` in lower case and exactly 86 base64url characters that encode again to
 * the same text (16 texts would mean one signature otherwise), S below L (else S + L would be a second signature, RFC
 * 8032 section 8.4), and R none of the 14 low-order encodings. Gives the 64 bytes R and S.
 */
export function parseSignature(text: string): SignatureTextResult {
  if (!text.startsWith(PREFIX)) return { ok: false, reason: 'missing-prefix' }
  if (text.length !== PREFIX.length + signatureChars) return { ok: false, reason: 'wrong-length' }
  const bytes = decodeBase64url(text.slice(PREFIX.length), signatureBytes)
  if (bytes === null) return { ok: false, reason: 'not-canonical-base64url' }
  const fault = faultOfSignature(bytes)
  return fault === null ? { ok: true, bytes } : { ok: false, reason: fault }
}

/** Part 2 of the rule for a signature that came as bytes: 64 of them, S below L, R not of low order. Null if it keeps it. */
export function faultOfSignature(bytes: Uint8Array): SignatureFault | null {
  if (bytes.length !== signatureBytes) return 'wrong-length'
  if (!isScalarInRange(bytes)) return 's-out-of-range'
  return startsWithLowOrderPoint(bytes) ? 'low-order-r' : null
}

/** True if S, the little-endian second half, is below L. */
function isScalarInRange(signature: Uint8Array): boolean {
  for (let at = 0; at < 32; at += 1) {
    const difference = (signature[63 - at] ?? 0) - (GROUP_ORDER[at] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
