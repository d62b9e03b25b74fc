import type { PublicKey } from './public-key.js'
import { parseSignature, type SignatureTextFault } from './signature-text.js'

/**
 * Part 3 of the verification rule, the cofactorless equation [S]B = R + [k]A with R compared as bytes. It is given 32
 * bytes of a checked key, the message, and 64 bytes with S below L: `node:crypto`, WebCrypto or the portable verifier.
 * It throws only when it cannot decide, never to say no.
 */
export type VerifyEd25519<Verdict extends boolean | Promise<boolean> = boolean | Promise<boolean>> = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Verdict

export interface VerifierDeps<Verdict extends boolean | Promise<boolean> = boolean | Promise<boolean>> {
  readonly verifyEd25519: VerifyEd25519<Verdict>
}

export type SignatureVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: SignatureTextFault | 'signature-mismatch' }

/**
 * Whether a signature text is good for a message under a checked key, by the rule that does not depend on a library:
 * checked key, one spelling, S below L, no low-order R, cofactorless equation. Answers at once if the verifier does.
 */
export function verifySignature(
  deps: VerifierDeps<boolean>,
  key: PublicKey,
  message: Uint8Array,
  signatureText: string,
): SignatureVerdict
export function verifySignature(
  deps: VerifierDeps,
  key: PublicKey,
  message: Uint8Array,
  signatureText: string,
): SignatureVerdict | Promise<SignatureVerdict>
export function verifySignature(
  deps: VerifierDeps,
  key: PublicKey,
  message: Uint8Array,
  signatureText: string,
): SignatureVerdict | Promise<SignatureVerdict> {
  const signature = parseSignature(signatureText)
  if (!signature.ok) return signature
  const matches = verifyParsed(deps, key, message, signature.bytes)
  return typeof matches === 'boolean' ? verdict(matches) : matches.then(verdict)
}

/**
 * The last part of the rule, for a signature text that `parseSignature` has taken: whoever tries several keys parses it
 * once.
 */
export function verifyParsed(
  deps: VerifierDeps,
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean | Promise<boolean> {
  return deps.verifyEd25519(key.bytes, message, signature)
}

function verdict(matches: boolean): SignatureVerdict {
  return matches ? { ok: true } : { ok: false, reason: 'signature-mismatch' }
}
