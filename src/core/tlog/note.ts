import { decodeBase64, encodeBase64 } from './base64.js'
import { joinBytes } from './merkle-hash.js'
import { isKeyName, keyIdBytes, readKeyId, writeKeyId } from './note-key.js'
import { encodeText, type PlainTextFault, readPlainText } from './plain-text.js'

/** Room for 64 signatures, some of them post-quantum ones of 5 kB. */
export const noteBytesMax = 262_144
const noteSignaturesMax = 64
const signatureLineBytesMax = 8_192

/** One signature line, not verified: the first four bytes of the base64 are the key's id. */
export interface NoteSignature {
  readonly name: string
  /** 8 hexadecimal digits. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** A signed note (c2sp.org/signed-note), not verified. `text` ends with a line feed. */
export interface Note {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export type NoteFault = PlainTextFault | 'no-signatures' | 'too-many-signatures' | 'bad-signature-line'

export type NoteResult = { readonly ok: true; readonly note: Note } | { readonly ok: false; readonly reason: NoteFault }

type SignatureLinesResult =
  | { readonly ok: true; readonly signatures: readonly NoteSignature[] }
  | { readonly ok: false; readonly reason: NoteFault }

export function formatNote(note: Note): Uint8Array {
  return encodeText(`${note.text}\n${formatSignatureLines(note.signatures)}`)
}

/** Signature lines as a note has them and as a witness answers them. */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    return `— ${name} ${encodeBase64(joinBytes([writeKeyId(keyId), signature]))}\n`
  })
  return lines.join('')
}

/** Reads a note: text and signatures part at the *last* empty line. Nothing is verified; what is read has one spelling. */
export function parseNote(bytes: Uint8Array): NoteResult {
  const read = readPlainText(bytes, noteBytesMax)
  if (!read.ok) return read
  const end = read.text.lastIndexOf('\n\n')
  if (end === -1) return { ok: false, reason: 'no-signatures' }
  const lines = parseSignatureLines(read.text.slice(end + 2))
  return lines.ok ? { ok: true, note: { text: read.text.slice(0, end + 1), signatures: lines.signatures } } : lines
}

/** Reads signature lines, of which there is at least one, and each ends with a line feed. */
export function parseSignatureLines(text: string): SignatureLinesResult {
  if (text === '') return { ok: false, reason: 'no-signatures' }
  if (!text.endsWith('\n') || text.length > noteBytesMax) return { ok: false, reason: 'bad-signature-line' }
  const lines = text.slice(0, -1).split('\n', noteSignaturesMax + 1)
  if (lines.length > noteSignaturesMax) return { ok: false, reason: 'too-many-signatures' }
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const signature = parseSignatureLine(line)
    if (signature === null) return { ok: false, reason: 'bad-signature-line' }
    signatures.push(signature)
  }
  return { ok: true, signatures }
}

function parseSignatureLine(line: string): NoteSignature | null {
  const [dash, name = '', base64 = '', ...rest] = line.split(' ', 4)
  if (dash !== '—' || rest.length > 0 || !isKeyName(name)) return null
  const bytes = decodeBase64(base64, signatureLineBytesMax)
  if (bytes === null || bytes.length <= keyIdBytes) return null
  return { name, keyId: readKeyId(bytes), signature: bytes.slice(keyIdBytes) }
}
