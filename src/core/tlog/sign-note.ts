import { cosignedMessage, formatCosignature } from './cosignature.js'
import type { NoteSignature } from './note.js'
import type { NoteKey } from './note-key.js'
import { encodeText } from './plain-text.js'

export interface NoteSigner {
  /** Its public half. */
  readonly key: NoteKey
  /** The 64-byte Ed25519 signature (RFC 8032) of a message by that key. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** Signs a note's text, which ends with a line feed. Throws if the key is one for cosignatures. */
export function signNote({ key, sign }: NoteSigner, text: string): NoteSignature {
  if (key.type !== 'note') throw new Error('A key for cosignatures signs no notes.')
  if (!text.endsWith('\n')) throw new Error('The text of a note ends with a line feed.')
  return { name: key.name, keyId: key.id, signature: sign(encodeText(text)) }
}

/** Cosigns a checkpoint's text at `time`, in seconds since 1970. Throws unless the key is one for cosignatures. */
export function cosignNote({ key, sign }: NoteSigner, text: string, time: number): NoteSignature {
  if (key.type !== 'cosignature') throw new Error('A key for notes makes no cosignatures.')
  const signature = formatCosignature({ time, signature: sign(cosignedMessage(time, text)) })
  return { name: key.name, keyId: key.id, signature }
}
