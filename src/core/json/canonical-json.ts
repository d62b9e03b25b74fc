import { type CanonicalWalk, type PlainJsonFault, writeCanonical, writeRuns } from './canonical-writer.js'
import { toJsonPointer } from './json-pointer.js'
import { isJsonObject, type JsonObject } from './json-value.js'

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

/** An object's canonical members between some names, without braces: `"a":1,"b":2`, or empty. */
export interface CanonicalRuns {
  readonly ok: true
  readonly runs: readonly string[]
}

const utf8 = new TextEncoder()

/**
 * The RFC 8785 (JCS) bytes of a plain JSON value, and the same as text. Refused: what `writeCanonical` refuses, and
 * more than `canonicalBytesMax` bytes. Negative zero is written `0`: the two are one number there, and a text that
 * claims to be canonical with `-0` in it fails the comparison.
 */
export function canonicalJson(value: unknown): CanonicalResult {
  const walk = startWalk()
  const text = writeCanonical(walk, value)
  return text === undefined ? refusalOf(walk) : measured(text)
}

/**
 * The canonical members of an object before, between and after `names`, which stand in the order of UTF-16 code units
 * (RFC 8785 section 3.2.3); members of those names are left out. For a document that is needed with several values of
 * some members, or without them: serialising is the expensive part, and `joinCanonical` puts the runs together.
 */
export function canonicalRuns(value: JsonObject, names: readonly string[]): CanonicalRuns | CanonicalRefusal {
  if (!isJsonObject(value)) return { ok: false, reason: 'not-json', pointer: '' }
  const walk = startWalk()
  const runs = writeRuns(walk, value, names)
  return runs === undefined ? refusalOf(walk) : { ok: true, runs }
}

/** The object of these runs of canonical members, which are in canonical order already; empty runs are fine. */
export function joinCanonical(...runs: readonly string[]): CanonicalResult {
  return measured(`{${runs.filter((run) => run !== '').join(',')}}`)
}

const startWalk = (): CanonicalWalk => ({ bytesLeft: canonicalBytesMax, path: [], reason: null })

function refusalOf({ reason, path }: CanonicalWalk): CanonicalRefusal {
  return { ok: false, reason: reason ?? 'not-json', pointer: toJsonPointer(path) }
}

function measured(text: string): CanonicalResult {
  const bytes = utf8.encode(text)
  return bytes.length > canonicalBytesMax ? { ok: false, reason: 'too-large', pointer: '' } : { ok: true, bytes, text }
}
