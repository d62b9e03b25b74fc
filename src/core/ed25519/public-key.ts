import { decodeCurvePoint } from './curve-point.js'
import { startsWithLowOrderPoint } from './low-order-encodings.js'

const publicKeyBytes = 32

const checked: unique symbol = Symbol('checked Ed25519 public key')

/**
 * A public key that passed `checkPublicKey`. `bytes` is the same array for as long as the key lives, so a verifier may
 * keep what it derives from it (a KeyObject, a CryptoKey) in a WeakMap; it must not be written to.
 */
export interface PublicKey {
  readonly bytes: Uint8Array
  readonly [checked]: true
}

type PublicKeyFault = 'wrong-length' | 'low-order' | 'not-canonical' | 'not-on-curve' | 'mixed-order'

export type PublicKeyResult =
  | { readonly ok: true; readonly key: PublicKey }
  | { readonly ok: false; readonly reason: PublicKeyFault }

/**
 * Part 1 of the verification rule: 32 bytes, none of the 14 low-order encodings, y below p = 2^255 - 19 (RFC 8032
 * section 5.1.3), on the curve, and without a torsion component. On such a key the cofactored and the cofactorless
 * equation, lenient and strict decoders all agree. It costs about a millisecond: check once, where a key is loaded.
 */
export function checkPublicKey(bytes: Uint8Array): PublicKeyResult {
  if (bytes.length !== publicKeyBytes) return { ok: false, reason: 'wrong-length' }
  if (startsWithLowOrderPoint(bytes)) return { ok: false, reason: 'low-order' }
  if (!isReduced(bytes)) return { ok: false, reason: 'not-canonical' }
  const own = Uint8Array.from(bytes)
  const point = decodeCurvePoint(own)
  if (point === null) return { ok: false, reason: 'not-on-curve' }
  if (!point.isTorsionFree()) return { ok: false, reason: 'mixed-order' }
  return { ok: true, key: { bytes: own, [checked]: true } }
}

/** True if y, the lower 255 bits, is below 2^255 - 19: the only values it could miss end in ed..ff ff … ff 7f. */
function isReduced(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0
  const last = (bytes[31] ?? 0) & 0x7f
  return first < 0xed || last !== 0x7f || bytes.subarray(1, 31).some((byte) => byte !== 0xff)
}
