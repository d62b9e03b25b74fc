const encoder = new TextEncoder()
/** A byte order mark stays, so that it is a character like others and no second spelling of the same text. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type PlainTextFault = 'too-large' | 'not-utf8' | 'control-character'

export type PlainTextResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: PlainTextFault }

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text of UTF-8 bytes without control characters (below U+0020) but line feeds. The size is looked at first. */
export function readPlainText(bytes: Uint8Array, bytesMax: number): PlainTextResult {
  if (bytes.length > bytesMax) return { ok: false, reason: 'too-large' }
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) return { ok: false, reason: 'control-character' }
  try {
    return { ok: true, text: decoder.decode(bytes) }
  } catch {
    return { ok: false, reason: 'not-utf8' }
  }
}

/** The number of a decimal without a sign or leading zeros, up to 2^53 - 1; null for any other text. */
export function readDecimal(text: string): number | null {
  const number = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : null
}
