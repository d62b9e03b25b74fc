import type { PublicKey, VerifierDeps } from '../ed25519/index.js'
import { parseSignature, verifyParsed } from '../ed25519/index.js'
import { type LegacyVerdict, legacyReceiptRule, readLegacy } from './legacy-receipt.js'
import { readReceipt, signedBytes } from './receipt.js'
import {
  canonicalCheck,
  encodingCheck,
  keyCheck,
  type ReceiptCheck,
  signatureCheck,
  structureCheck,
} from './receipt-checks.js'

/** Keys tried on a receipt that names none; each costs a verification. */
export const unnamedKeysTriedMax = 16

/** The checked keys that may have signed, by key id; for receipts that name none the first ones are tried in order. */
export type KnownKeys = ReadonlyMap<string, PublicKey>

/** All five checks, always in this order. `keyId` is the key that it verified under, null if it did not. */
export interface ReceiptReport {
  readonly receiptId: string | null
  readonly valid: boolean
  readonly algorithm: 'Ed25519'
  readonly keyId: string | null
  readonly checks: readonly ReceiptCheck[]
  /** Beside the verdict, never instead of it: how an invalid receipt holds by the legacy rule. Null if it does not. */
  readonly legacy: LegacyVerdict | null
}

/**
 * Whether a receipt, of either shape, is signed by a key that we know. One that names a key verifies under that key
 * only; one that names none under any of the first `unnamedKeysTriedMax`. One that fails is read once more by the
 * legacy rule, under the same keys. Hostile input makes an invalid report, never an exception; what the verifier throws
 * (it could not decide) is passed on. Answers at once if the verifier does.
 */
export function verifyReceipt(deps: VerifierDeps<boolean>, keys: KnownKeys, receipt: unknown): ReceiptReport
export function verifyReceipt(
  deps: VerifierDeps,
  keys: KnownKeys,
  receipt: unknown,
): ReceiptReport | Promise<ReceiptReport>
export function verifyReceipt(
  deps: VerifierDeps,
  keys: KnownKeys,
  receipt: unknown,
): ReceiptReport | Promise<ReceiptReport> {
  const read = readReceipt(receipt)
  const canonical = read.ok ? signedBytes(read) : null
  const keyId = read.ok ? read.keyId : null
  const candidates = read.ok ? candidateKeys(keys, keyId) : null
  const signature = read.ok ? parseSignature(read.signature) : null
  const checks = [
    structureCheck(read),
    canonicalCheck(canonical),
    keyCheck(candidates?.length ?? null, keyId),
    encodingCheck(signature),
  ]
  const report = (signer: string | null | undefined, legacy: LegacyVerdict | null = null): ReceiptReport => ({
    receiptId: read.id,
    valid: typeof signer === 'string',
    algorithm: 'Ed25519',
    keyId: signer ?? null,
    checks: [...checks, signatureCheck(signer)],
    legacy,
  })
  if (!read.ok || !canonical?.ok || !candidates?.length || !signature?.ok) return report(undefined)
  return after(findSigner(deps, candidates, canonical.bytes, signature.bytes), (signer) => {
    const legacy = signer === null ? readLegacy(read) : null
    if (legacy === null) return report(signer)
    return after(findSigner(deps, candidates, legacy.bytes, signature.bytes), (keyId) => {
      const { unsignedMembers } = legacy
      return report(null, keyId === null ? null : { rule: legacyReceiptRule, keyId, unsignedMembers })
    })
  })
}

/** Goes on at once with what is there, and later with what is promised. */
function after<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}

type Candidate = readonly [keyId: string, key: PublicKey]

function candidateKeys(keys: KnownKeys, keyId: string | null): readonly Candidate[] {
  if (keyId === null) return [...keys].slice(0, unnamedKeysTriedMax)
  const key = keys.get(keyId)
  return key === undefined ? [] : [[keyId, key]]
}

/** The id of the first key that the signature is good for, or null; a promise from where the verifier gives one. */
function findSigner(
  deps: VerifierDeps,
  candidates: readonly Candidate[],
  message: Uint8Array,
  signature: Uint8Array,
): string | null | Promise<string | null> {
  for (const [at, [keyId, key]] of candidates.entries()) {
    const matches = verifyParsed(deps, key, message, signature)
    if (typeof matches !== 'boolean') {
      return matches.then((yes) => (yes ? keyId : findSigner(deps, candidates.slice(at + 1), message, signature)))
    }
    if (matches) return keyId
  }
  return null
}
