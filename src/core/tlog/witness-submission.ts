import { encodeBase64 } from './base64.js'
import { joinBytes } from './merkle-hash.js'
import { formatNote, type Note, type NoteFault, noteBytesMax, parseNote } from './note.js'
import { encodeText, readDecimal, readPlainText } from './plain-text.js'
import { readHashLines } from './proof-file.js'

/** What a log sends to a witness (c2sp.org/tlog-witness, `add-checkpoint`). Nothing in it is verified. */
export interface WitnessSubmission {
  /** The size of the tree that the witness is said to have cosigned last; 0 for none. */
  readonly oldSize: number
  /** The consistency proof from that tree to the checkpoint's, 32 bytes each. */
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: Note
}

type WitnessSubmissionFault = NoteFault | 'not-a-submission' | 'bad-old-size' | 'too-many-hashes' | 'bad-hash'

export type WitnessSubmissionResult =
  | { readonly ok: true; readonly submission: WitnessSubmission }
  | { readonly ok: false; readonly reason: WitnessSubmissionFault }

/** The checkpoint, and 63 hashes in base64 behind the line of the size. */
export const witnessSubmissionBytesMax = noteBytesMax + 3_072

/** The body of `POST <prefix>/add-checkpoint`. */
export function formatWitnessSubmission({ oldSize, proof, checkpoint }: WitnessSubmission): Uint8Array {
  const lines = [`old ${oldSize}`, ...proof.map(encodeBase64), '', '']
  return joinBytes([encodeText(lines.join('\n')), formatNote(checkpoint)])
}

/** Reads such a body, in the one spelling that `formatWitnessSubmission` gives. Never throws. */
export function parseWitnessSubmission(bytes: Uint8Array): WitnessSubmissionResult {
  const read = readPlainText(bytes, witnessSubmissionBytesMax)
  if (!read.ok) return read
  const end = read.text.indexOf('\n\n')
  if (end === -1) return { ok: false, reason: 'not-a-submission' }
  const [oldLine = '', ...hashLines] = read.text.slice(0, end).split('\n')
  const oldSize = oldLine.startsWith('old ') ? readDecimal(oldLine.slice('old '.length)) : null
  if (oldSize === null) return { ok: false, reason: 'bad-old-size' }
  const proof = readHashLines(hashLines)
  if (!proof.ok) return proof
  const note = parseNote(encodeText(read.text.slice(end + 2)))
  return note.ok ? { ok: true, submission: { oldSize, proof: proof.hashes, checkpoint: note.note } } : note
}
