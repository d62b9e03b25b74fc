import { isJsonObject, type JsonObject, type JsonValue, parseJsonBytes } from '../json/index.js'
import { type Note, parseNote, readHashes } from '../tlog/index.js'

/** Bytes of one line of an audit package: a receipt in any spelling, its proof; or the first line, with all keys. */
const auditLineBytesMax = 1_048_576

const LINE_LIMITS = { textCharsMax: auditLineBytesMax, nestingLevelsMax: 34 }
const ENTRY = /^sha256:([0-9a-f]{64})$/

/**
 * The first line: `{type: "audit-package", origin, checkpoint, keys, policy, statements, end_line}`. `checkpoint` is the
 * note that every proof behind it leads to; `keys` is the document of public keys, `policy` the text of the log's own
 * policy. Those two say what the maker of the package believes: an auditor has both already. `statements` are those of
 * changed keys, each signed by the key before. `end_line` is true if the last line counts the others: then a package
 * that was cut off can be told from a whole one.
 */
type AuditHeader = {
  readonly origin: string
  readonly checkpoint: Note
  readonly keys: JsonValue
  readonly policy: string | null
  readonly statements: readonly JsonValue[]
  readonly endLine: boolean
}

/** The last line: `{type: "audit-end", count, last_seq}`. */
export type AuditEnd = {
  /** Of the lines between the first and this one. */
  readonly count: number
  /** Of the last of them; null if there is none. */
  readonly lastSeq: number | null
}

/**
 * A line behind it: `{seq, receipt, index, proof}`; of an erased receipt `{seq, entry, index, proof}`, where `entry` is
 * "sha256:" and 64 hexadecimal digits. `index` and `proof` are absent (or null) while the checkpoint does not cover it.
 */
export type AuditLine = {
  readonly seq: number
  /** Null for an erased one. */
  readonly receipt: JsonObject | null
  /** 32 bytes; null where there is a receipt to work it out of. */
  readonly entry: Uint8Array | null
  readonly place: { readonly index: number; readonly proof: readonly Uint8Array[] } | null
}

type AuditHeaderResult =
  | { readonly ok: true; readonly header: AuditHeader }
  | { readonly ok: false; readonly detail: string }

type AuditLineResult =
  | { readonly ok: true; readonly line: AuditLine }
  | { readonly ok: true; readonly end: AuditEnd }
  | { readonly ok: false; readonly detail: string }

/** The name that links write for an entry: `prev` of a receipt, `entry` of an erased one. */
export function entryName(entry: Uint8Array): string {
  return `sha256:${Array.from(entry, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** Whether the first line of a file says that it is an audit package. */
export function isAuditHeader(value: unknown): value is JsonObject {
  return isJsonObject(value) && value['type'] === 'audit-package'
}

/** Reads the first line, parsed already. Nothing in it is verified. */
export function readAuditHeader(value: JsonObject): AuditHeaderResult {
  const { origin, checkpoint, keys = null, policy = null, statements = [], end_line: endLine = false } = value
  if (typeof origin !== 'string') return { ok: false, detail: 'Its first line names no origin.' }
  if (typeof checkpoint !== 'string') return { ok: false, detail: 'Its first line has no checkpoint.' }
  if (policy !== null && typeof policy !== 'string') return { ok: false, detail: 'Its policy is no text.' }
  if (!Array.isArray(statements)) return { ok: false, detail: 'Its statements are no list.' }
  if (typeof endLine !== 'boolean') return { ok: false, detail: 'Its end_line is neither true nor false.' }
  const note = parseNote(new TextEncoder().encode(checkpoint))
  if (!note.ok) return { ok: false, detail: `Its checkpoint is no signed note (${note.reason}).` }
  return { ok: true, header: { origin, checkpoint: note.note, keys, policy, statements, endLine } }
}

/** Parses the bytes of one of the other lines, without its line feed. Nothing in it is verified. */
export function parseAuditLine(bytes: Uint8Array): AuditLineResult {
  const parsed = parseAuditJson(bytes)
  if (!parsed.ok) return { ok: false, detail: `It is not one clear JSON text (${parsed.reason}).` }
  const { value } = parsed
  if (!isJsonObject(value)) return { ok: false, detail: 'It is no JSON object.' }
  if (value['type'] === 'audit-end') return readAuditEnd(value)
  const { seq, receipt = null, index = null, proof = null, entry: name = null } = value
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return { ok: false, detail: 'It has no seq.' }
  if (receipt !== null && !isJsonObject(receipt)) return { ok: false, detail: 'Its receipt is no JSON object.' }
  const entry = receipt === null ? readEntryName(name) : null
  if (receipt === null && entry === null) return { ok: false, detail: 'It has neither a receipt nor an entry.' }
  if (index === null && proof === null) return { ok: true, line: { seq, receipt, entry, place: null } }
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) {
    return { ok: false, detail: 'Its index is no place in a log.' }
  }
  const hashes = readHashes(proof)
  if (!hashes.ok) return { ok: false, detail: `Its proof is no list of hashes (${hashes.reason}).` }
  return { ok: true, line: { seq, receipt, entry, place: { index, proof: hashes.hashes } } }
}

function readAuditEnd({ count, last_seq: lastSeq }: JsonObject): AuditLineResult {
  const isCount = (number: JsonValue | undefined): number is number =>
    typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
  if (!isCount(count) || !(lastSeq === null || isCount(lastSeq))) return { ok: false, detail: 'It counts nothing.' }
  return { ok: true, end: { count, lastSeq } }
}

/** Parses the JSON of a line, strictly. */
export function parseAuditJson(bytes: Uint8Array): ReturnType<typeof parseJsonBytes> {
  return parseJsonBytes(bytes, LINE_LIMITS)
}

function readEntryName(name: JsonValue): Uint8Array | null {
  const [, hex] = (typeof name === 'string' ? ENTRY.exec(name) : null) ?? []
  if (hex === undefined) return null
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
}
