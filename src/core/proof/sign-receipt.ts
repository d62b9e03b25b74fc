import { formatSignature, signatureBytes } from '../ed25519/index.js'
import {
  type CanonicalRefusal,
  canonicalBytesMax,
  canonicalRuns,
  type JsonObject,
  joinCanonical,
} from '../json/index.js'

export interface SignDeps {
  /** The 64-byte Ed25519 signature (RFC 8032) of a message, by the key that the receipt's `key_id` names. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

export type SignResult<Unsigned extends JsonObject> =
  | { readonly ok: true; readonly receipt: Unsigned & { readonly signature: string }; readonly bytes: Uint8Array }
  | CanonicalRefusal

/** What a signature adds to the canonical bytes: its member, and the comma before or behind it. */
export const signatureMemberBytes = signatureMember(formatSignature(new Uint8Array(signatureBytes))).length + 1

/**
 * Signs a receipt over its RFC 8785 bytes. Gives the signed receipt and its canonical bytes *with* the signature: what
 * is stored, logged and returned. Refused as by `canonicalJson`, and before anything is signed: the signed form must
 * fit `canonicalBytesMax` as well. An old `signature` is replaced. Throws if the signer gives anything but 64 bytes.
 */
export function signReceipt<Unsigned extends JsonObject>(deps: SignDeps, unsigned: Unsigned): SignResult<Unsigned> {
  const split = canonicalRuns(unsigned, ['signature'])
  if (!split.ok) return split
  const [before = '', after = ''] = split.runs
  const message = joinCanonical(before, after)
  if (!message.ok) return message
  if (message.bytes.length + signatureMemberBytes > canonicalBytesMax) {
    return { ok: false, reason: 'too-large', pointer: '' }
  }
  const signature = deps.sign(message.bytes)
  if (signature.length !== signatureBytes) throw new Error('A signer gives 64 bytes.')
  const text = formatSignature(signature)
  const signed = joinCanonical(before, signatureMember(text), after)
  return signed.ok ? { ok: true, receipt: { ...unsigned, signature: text }, bytes: signed.bytes } : signed
}

/** The member as RFC 8785 writes it: nothing in a signature's text needs an escape. */
export function signatureMember(text: string): string {
  return `"signature":"${text}"`
}
