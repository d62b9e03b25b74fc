/**
 * The 14 texts of 32 bytes that a decoder may take for one of the 8 points whose order divides the cofactor of
 * edwards25519 (RFC 7748 section 4.1): the 8 canonical encodings, then 6 that a lenient decoder maps to the same
 * points, because x = 0 has no sign (the identity and the point of order 2) or because y was not reduced (0 and 1 fit
 * below 2^255 a second time, as p and p + 1). A key or an R among them proves nothing: it fits signatures that were
 * never made.
 */
const LOW_ORDER_HEX: readonly string[] = [
  // y = 1: the identity
  '0100000000000000000000000000000000000000000000000000000000000000',
  // y = p - 1: order 2
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // y = 0: order 4, both signs of x
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  // the two y of order 8, both signs of x
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  // x = 0 with a sign
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  // y = p, both signs
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  // y = p + 1, both signs
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
]

/** The 14 encodings as bytes. */
export const LOW_ORDER_ENCODINGS: readonly Uint8Array[] = LOW_ORDER_HEX.map((hex) =>
  Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16)),
)

/** True if the first 32 bytes are one of the 14 encodings of the 8 points of low order. */
export function startsWithLowOrderPoint(bytes: Uint8Array): boolean {
  return LOW_ORDER_ENCODINGS.some((encoding) => encoding.every((byte, at) => bytes[at] === byte))
}
