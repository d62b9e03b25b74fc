import { decodeBase64, encodeBase64 } from './base64.js'
import { hashBytes, joinBytes } from './merkle-hash.js'
import { formatNote, type Note, type NoteFault, noteBytesMax, parseNote } from './note.js'
import { encodeText, readDecimal, readPlainText } from './plain-text.js'

/** That an entry is in a log (c2sp.org/tlog-proof), for whoever has the entry. Nothing in it is verified. */
export interface LogProof {
  /** What the log says beside it; not authenticated. Null if there is none. */
  readonly extra: Uint8Array | null
  readonly index: number
  /** The inclusion proof, 32 bytes each. */
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: Note
}

export type LogProofFault = NoteFault | 'not-a-log-proof' | 'bad-extra' | 'bad-index' | 'too-many-hashes' | 'bad-hash'

export type LogProofResult =
  | { readonly ok: true; readonly logProof: LogProof }
  | { readonly ok: false; readonly reason: LogProofFault }

const HEADING = 'c2sp.org/tlog-proof@v1'
const proofHashesMax = 63
const proofExtraBytesMax = 65_535
/** The checkpoint, the extra data in base64, the hashes, and the lines before them. */
export const logProofBytesMax = noteBytesMax + 92_160

/** A `.tlog-proof` file. */
export function formatLogProof({ extra, index, proof, checkpoint }: LogProof): Uint8Array {
  const lines = [HEADING]
  if (extra !== null && extra.length > 0) lines.push(`extra ${encodeBase64(extra)}`)
  lines.push(`index ${index}`, ...proof.map(encodeBase64), '', '')
  return joinBytes([encodeText(lines.join('\n')), formatNote(checkpoint)])
}

/** Reads a `.tlog-proof` file, in the one spelling that `formatLogProof` gives. Never throws. */
export function parseLogProof(bytes: Uint8Array): LogProofResult {
  const read = readPlainText(bytes, logProofBytesMax)
  if (!read.ok) return read
  const end = read.text.indexOf('\n\n')
  if (end === -1) return { ok: false, reason: 'not-a-log-proof' }
  const lines = read.text.slice(0, end).split('\n', proofHashesMax + 4)
  if (lines[0] !== HEADING) return { ok: false, reason: 'not-a-log-proof' }
  const extraText = lines[1]?.startsWith('extra ') ? lines[1].slice('extra '.length) : null
  const extra = extraText === null ? null : decodeBase64(extraText, proofExtraBytesMax)
  if (extraText !== null && (extra === null || extra.length === 0)) return { ok: false, reason: 'bad-extra' }
  const [indexLine = '', ...hashLines] = lines.slice(extra === null ? 1 : 2)
  const index = indexLine.startsWith('index ') ? readDecimal(indexLine.slice('index '.length)) : null
  if (index === null) return { ok: false, reason: 'bad-index' }
  const proof = readHashLines(hashLines)
  if (!proof.ok) return proof
  const note = parseNote(encodeText(read.text.slice(end + 2)))
  return note.ok ? { ok: true, logProof: { extra, index, proof: proof.hashes, checkpoint: note.note } } : note
}

/** Hashes as proofs write them, one base64 text each. */
export function readHashLines(
  lines: readonly string[],
):
  | { readonly ok: true; readonly hashes: readonly Uint8Array[] }
  | { readonly ok: false; readonly reason: 'too-many-hashes' | 'bad-hash' } {
  if (lines.length > proofHashesMax) return { ok: false, reason: 'too-many-hashes' }
  const hashes = lines.map((line) => decodeBase64(line, hashBytes)).filter((hash) => hash?.length === hashBytes)
  const whole = hashes.filter((hash) => hash !== null)
  return whole.length === lines.length ? { ok: true, hashes: whole } : { ok: false, reason: 'bad-hash' }
}
