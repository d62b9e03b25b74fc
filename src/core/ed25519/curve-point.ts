import { Point } from '@noble/ed25519'

/** The point of edwards25519 that 32 bytes encode (RFC 8032 section 5.1.3), or null if they encode none. */
export function decodeCurvePoint(bytes: Uint8Array): Point | null {
  try {
    return Point.fromBytes(bytes)
  } catch {
    return null
  }
}
