import { Point } from '@noble/ed25519'
import { decodeCurvePoint } from './curve-point.js'
import type { VerifyEd25519 } from './ed25519-rule.js'

/** SHA-512 of the message: 64 bytes, at once or later. */
export type Sha512<Digest extends Uint8Array | Promise<Uint8Array>> = (message: Uint8Array) => Digest

/**
 * A verifier of the cofactorless Ed25519 equation out of `@noble/ed25519`'s group arithmetic, for browsers whose
 * WebCrypto has SHA-512 and no Ed25519, and as an oracle. R' = [S]B - [k]A is encoded and compared with R as bytes
 * (what OpenSSL and BoringSSL do; noble's own `verify` multiplies by the cofactor). S from L on, and keys that are no
 * canonical point, are answered with false.
 */
export function createPortableVerifier(sha512: Sha512<Uint8Array>): VerifyEd25519<boolean>
export function createPortableVerifier(sha512: Sha512<Promise<Uint8Array>>): VerifyEd25519<Promise<boolean>>
export function createPortableVerifier(sha512: Sha512<Uint8Array | Promise<Uint8Array>>): VerifyEd25519 {
  return (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    const hashed = new Uint8Array(64 + message.length)
    hashed.set(signature.subarray(0, 32))
    hashed.set(publicKey, 32)
    hashed.set(message, 64)
    const digest = sha512(hashed)
    return digest instanceof Uint8Array
      ? equationHolds(publicKey, signature, digest)
      : digest.then((bytes) => equationHolds(publicKey, signature, bytes))
  }
}

function equationHolds(publicKey: Uint8Array, signature: Uint8Array, digest: Uint8Array): boolean {
  const order = Point.CURVE().n
  const s = littleEndian(signature.subarray(32))
  if (s >= order) return false
  const key = decodeCurvePoint(publicKey)
  if (key === null) return false
  const k = littleEndian(digest) % order
  const r = Point.BASE.multiply(s, false).subtract(key.multiply(k, false)).toBytes()
  return r.every((byte, at) => byte === signature[at])
}

function littleEndian(bytes: Uint8Array): bigint {
  let hex = '0x'
  for (const byte of bytes.toReversed()) hex += byte.toString(16).padStart(2, '0')
  return BigInt(hex)
}
