import { decodeBase64url, encodeBase64url } from '../ed25519/index.js'

/** Bytes as padded base64 (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encodeBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** The bytes of a padded base64 text, or null: one spelling only, and at most `bytesMax` bytes. */
export function decodeBase64(text: string, bytesMax: number): Uint8Array | null {
  if (text.length % 4 !== 0 || text.length > Math.ceil(bytesMax / 3) * 4) return null
  const unpadded = text
    .replace(/={1,2}$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
  const bytes = decodeBase64url(unpadded, bytesMax)
  return bytes !== null && encodeBase64(bytes) === text ? bytes : null
}
