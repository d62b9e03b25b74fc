import { type CanonicalRefusal, canonicalJson } from './canonical-json.js'
import type { JsonLimits } from './json-scan.js'
import type { JsonValue } from './json-value.js'
import { parseStrictJson, receiptJsonLimits, type StrictJsonRefusal } from './strict-json.js'

/** A byte order mark is no JSON (RFC 8259 section 8.1), so it is kept and the parser refuses it. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type DocumentRefusal =
  | StrictJsonRefusal
  | CanonicalRefusal
  | { readonly ok: false; readonly reason: 'not-utf8' | 'not-canonical'; readonly pointer: string }

export type DocumentResult = { readonly ok: true; readonly value: JsonValue } | DocumentRefusal

/** Parses the bytes of a JSON file: UTF-8 without replacement characters, then `parseStrictJson`. Never throws. */
export function parseJsonBytes(bytes: Uint8Array, limits: JsonLimits = receiptJsonLimits): DocumentResult {
  const text = decodeUtf8(bytes)
  return text === null ? { ok: false, reason: 'not-utf8', pointer: '' } : parseStrictJson(text, limits)
}

/**
 * Parses the bytes of a file that is claimed to be canonical: they must be the RFC 8785 bytes of what they say. That
 * refuses other spellings of the same value, `1.0`, `-0`, `\u0061`, whitespace, another order of members. Never throws.
 */
export function parseCanonicalBytes(bytes: Uint8Array, limits: JsonLimits = receiptJsonLimits): DocumentResult {
  const parsed = parseJsonBytes(bytes, limits)
  if (!parsed.ok) return parsed
  const canonical = canonicalJson(parsed.value)
  if (!canonical.ok) return canonical
  const same = canonical.bytes.length === bytes.length && canonical.bytes.every((byte, at) => byte === bytes[at])
  return same ? parsed : { ok: false, reason: 'not-canonical', pointer: '' }
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}
