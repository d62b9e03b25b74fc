import { faultOfSignature, type SignatureFault, type VerifierDeps, verifyParsed } from '../ed25519/index.js'
import { cosignedMessage, parseCosignature } from './cosignature.js'
import type { Note, NoteSignature } from './note.js'
import type { NoteKey } from './note-key.js'
import { encodeText } from './plain-text.js'

/** A signature that holds. `time` is that of a cosignature, in seconds since 1970; null for a note's signature. */
export interface NoteEndorsement {
  readonly key: NoteKey
  readonly time: number | null
}

export type NoteRefusal =
  | { readonly ok: false; readonly reason: 'no-known-signer' }
  | {
      readonly ok: false
      readonly reason: 'bad-signature'
      readonly name: string
      readonly fault: SignatureFault | 'bad-cosignature' | 'signature-mismatch'
    }

export type NoteVerdict = { readonly ok: true; readonly endorsements: readonly NoteEndorsement[] } | NoteRefusal

type Claim = { readonly message: Uint8Array; readonly signature: Uint8Array; readonly time: number | null }

/**
 * Verifies a note by the keys that one knows (c2sp.org/signed-note): signatures of others are ignored, a bad one of a
 * known key refuses the note, and so does none of a known key. A key is known by name and id, so one for another type
 * of signature is another key. The Ed25519 rule is that of receipts. Throws only what the verifier throws.
 */
export async function verifyNote(deps: VerifierDeps, keys: readonly NoteKey[], note: Note): Promise<NoteVerdict> {
  const endorsements: NoteEndorsement[] = []
  for (const line of note.signatures) {
    const key = keys.find(({ name, id }) => name === line.name && id === line.keyId)
    if (key === undefined) continue
    const claim = claimOf(key, note.text, line)
    const fault = claim === null ? 'bad-cosignature' : faultOfSignature(claim.signature)
    if (claim === null || fault !== null) {
      return { ok: false, reason: 'bad-signature', name: key.name, fault: fault ?? 'bad-cosignature' }
    }
    if (!(await verifyParsed(deps, key.publicKey, claim.message, claim.signature))) {
      return { ok: false, reason: 'bad-signature', name: key.name, fault: 'signature-mismatch' }
    }
    endorsements.push({ key, time: claim.time })
  }
  return endorsements.length > 0 ? { ok: true, endorsements } : { ok: false, reason: 'no-known-signer' }
}

function claimOf(key: NoteKey, text: string, { signature }: NoteSignature): Claim | null {
  if (key.type === 'note') return { message: encodeText(text), signature, time: null }
  const cosignature = parseCosignature(signature)
  if (cosignature === null) return null
  return { ...cosignature, message: cosignedMessage(cosignature.time, text) }
}
