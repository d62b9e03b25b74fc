const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Value of each ASCII character; 0 for those that are not in the alphabet. */
const SEXTETS = new Uint8Array(128)
for (let value = 0; value < 64; value += 1) SEXTETS[ALPHABET.charCodeAt(value)] = value

/** Longest text that is decoded if the caller names no limit. */
export const base64urlBytesMax = 65_536

/** Bytes as unpadded base64url (RFC 4648 section 5). */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (octet(bytes, at) << 16) | (octet(bytes, at + 1) << 8) | octet(bytes, at + 2)
    const first = ALPHABET.charCodeAt(group >> 18)
    const second = ALPHABET.charCodeAt((group >> 12) & 63)
    const third = ALPHABET.charCodeAt((group >> 6) & 63)
    const left = bytes.length - at
    // Four at a time: one after the other they were 4 % of the memory that issuing a receipt takes.
    if (left > 2) text += String.fromCharCode(first, second, third, ALPHABET.charCodeAt(group & 63))
    else text += left === 2 ? String.fromCharCode(first, second, third) : String.fromCharCode(first, second)
  }
  return text
}

/**
 * The bytes of an unpadded base64url text, or null. One spelling only: padding, whitespace, the characters `+` and `/`,
 * an impossible length and leftover bits that are not zero are all refused, as is more than `bytesMax` bytes.
 */
export function decodeBase64url(text: string, bytesMax: number = base64urlBytesMax): Uint8Array | null {
  const length = Math.floor((text.length * 3) / 4)
  if (length > bytesMax) return null
  const bytes = new Uint8Array(length)
  let bits = 0
  let at = 0
  for (let index = 0; index < text.length; index += 1) {
    // A foreign character reads as zeros here; encoding again does not give it back.
    bits = (bits << 6) | (SEXTETS[text.charCodeAt(index)] ?? 0)
    // The first character of four completes no byte; the others complete one each and leave 4, 2 and 0 bits over.
    const spare = 6 - 2 * (index & 3)
    if (spare < 6) bytes[at++] = bits >> spare
  }
  return encodeBase64url(bytes) === text ? bytes : null
}

function octet(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
