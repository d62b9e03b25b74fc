import canonicalize from 'canonicalize'
import { toJsonPointer } from './json-pointer.js'
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.js'
import { copyPlainJson, type PlainJsonFault, type PlainJsonWalk } from './plain-json.js'

/** What a signed document may weigh: the log writes the length of an entry in 16 bits. */
export const canonicalBytesMax = 65_535

/** Why a value has no canonical form here; `pointer` (RFC 6901) names the member at fault. */
export interface CanonicalRefusal {
  readonly ok: false
  readonly reason: PlainJsonFault
  readonly pointer: string
}

export type CanonicalResult =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly text: string }
  | CanonicalRefusal

/** An object's canonical members on both sides of a name, without braces: `"a":1,"b":2`, or empty. */
export interface CanonicalHalves {
  readonly ok: true
  readonly before: string
  readonly after: string
}

const utf8 = new TextEncoder()

/**
 * The RFC 8785 (JCS) bytes of a plain JSON value, and the same as text. Refused: what `copyPlainJson` refuses, and more
 * than `canonicalBytesMax` bytes. Negative zero is written `0`, as RFC 8785 section 3.2.2.3 (ECMA-262 Number::toString)
 * has it: the two are one number there, and a text that claims to be canonical with `-0` in it fails the comparison.
 */
export function canonicalJson(value: unknown): CanonicalResult {
  const plain = plainCopy(value)
  return plain.ok ? measured(serialise(plain.value)) : plain
}

/**
 * The canonical members of an object that sort before and after `name` (by UTF-16 code units, RFC 8785 section 3.2.3);
 * a member of that name is left out. For a document that is needed with and without one member: serialising is the
 * expensive part, and `joinCanonical` puts the halves together with or without something between them.
 */
export function canonicalHalves(value: JsonObject, name: string): CanonicalHalves | CanonicalRefusal {
  const plain = plainCopy(value)
  if (!plain.ok) return plain
  if (!isJsonObject(plain.value)) return { ok: false, reason: 'not-json', pointer: '' }
  const before: Record<string, JsonValue> = Object.create(null)
  const after: Record<string, JsonValue> = Object.create(null)
  for (const [member, content] of Object.entries(plain.value)) {
    if (member < name) before[member] = content
    else if (member > name) after[member] = content
  }
  return { ok: true, before: serialise(before).slice(1, -1), after: serialise(after).slice(1, -1) }
}

/** The object of these runs of canonical members, which are in canonical order already; empty runs are fine. */
export function joinCanonical(...runs: readonly string[]): CanonicalResult {
  return measured(`{${runs.filter((run) => run !== '').join(',')}}`)
}

function plainCopy(value: unknown): { readonly ok: true; readonly value: JsonValue } | CanonicalRefusal {
  const walk: PlainJsonWalk = { bytesLeft: canonicalBytesMax, path: [], reason: null }
  const copy = copyPlainJson(walk, value)
  if (copy !== undefined) return { ok: true, value: copy }
  return { ok: false, reason: walk.reason ?? 'not-json', pointer: toJsonPointer(walk.path) }
}

function serialise(plain: JsonValue): string {
  const text = canonicalize(plain)
  if (text === undefined) throw new Error('A plain JSON value has a canonical text.')
  return text
}

function measured(text: string): CanonicalResult {
  const bytes = utf8.encode(text)
  return bytes.length > canonicalBytesMax ? { ok: false, reason: 'too-large', pointer: '' } : { ok: true, bytes, text }
}
