import { isJsonObject } from '../json/index.js'
import { encodeBase64 } from './base64.js'
import { formatNote, parseNote } from './note.js'
import { encodeText } from './plain-text.js'
import { type LogProof, type LogProofFault, readHashLines } from './proof-file.js'

/**
 * A log proof where everything else is JSON (c2sp.org/tlog-proof has text only): the same three things, without what
 * the log may say beside them.
 */
type LogProofJson = {
  readonly index: number
  /** The inclusion proof: 32 bytes each, in base64. */
  readonly proof: readonly string[]
  /** The whole note. */
  readonly checkpoint: string
}

type LogProofJsonResult =
  | { readonly ok: true; readonly logProof: LogProof }
  | { readonly ok: false; readonly reason: LogProofFault }

const decoder = new TextDecoder()

export function toLogProofJson({ index, proof, checkpoint }: LogProof): LogProofJson {
  return { index, proof: proof.map(encodeBase64), checkpoint: decoder.decode(formatNote(checkpoint)) }
}

/** Reads a log proof out of JSON; other members are ignored. Never throws. */
export function fromLogProofJson(value: unknown): LogProofJsonResult {
  if (!isJsonObject(value)) return { ok: false, reason: 'not-a-log-proof' }
  const { index, proof, checkpoint } = value
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0) return { ok: false, reason: 'bad-index' }
  const hashes = readHashes(proof)
  if (!hashes.ok) return hashes
  if (typeof checkpoint !== 'string') return { ok: false, reason: 'no-signatures' }
  const note = parseNote(encodeText(checkpoint))
  return note.ok ? { ok: true, logProof: { extra: null, index, proof: hashes.hashes, checkpoint: note.note } } : note
}

/** The hashes of an inclusion proof in JSON: an array of base64 texts. */
export function readHashes(value: unknown): ReturnType<typeof readHashLines> {
  if (!Array.isArray(value)) return { ok: false, reason: 'bad-hash' }
  const lines = value.filter((line) => typeof line === 'string')
  return lines.length === value.length ? readHashLines(lines) : { ok: false, reason: 'bad-hash' }
}
