import { Point } from '@noble/ed25519'

/** p and L, by their formulas (RFC 8032 section 5.1). */
export const FIELD = 2n ** 255n - 19n
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

export function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n)
}

export function bytesOf(value: bigint, length = 32): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * at)) & 255n))
}

/** The 32 bytes of a y coordinate, reduced or not, with the sign bit of x. */
export function encodeY(y: bigint, xIsOdd: boolean): Uint8Array {
  return bytesOf(y + (xIsOdd ? 2n ** 255n : 0n))
}

/** The eight points whose order divides the cofactor: L times whatever points small y coordinates happen to encode. */
export function torsionPoints(): Point[] {
  const found = new Map<string, Point>()
  for (let y = 2n; found.size < 8; y += 1n) {
    const point = decodeLeniently(encodeY(y, false))
    if (point === null) continue
    const torsion = point.multiply(ORDER - 1n, false).add(point)
    found.set(torsion.toHex(), torsion)
  }
  return [...found.values()]
}

/** Every 32 bytes that a decoder which forgives an unreduced y and a sign on x = 0 takes for a point of low order. */
export function lenientLowOrderEncodings(): Uint8Array[] {
  const ys = new Set(torsionPoints().map((point) => point.toAffine().y))
  const candidates = [...ys].flatMap((y) => [y, y + FIELD]).filter((y) => y < 2n ** 255n)
  const encodings = candidates.flatMap((y) => [encodeY(y, false), encodeY(y, true)])
  return encodings.filter((bytes) => decodeLeniently(bytes)?.isSmallOrder())
}

function decodeLeniently(bytes: Uint8Array): Point | null {
  try {
    return Point.fromBytes(bytes, true)
  } catch {
    return null
  }
}
