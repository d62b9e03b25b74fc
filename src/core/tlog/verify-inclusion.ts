import { inclusionRanges, isTreeSize } from './leaf-range.js'
import { hashBytes, hashNode, type Sha256, sameBytes } from './merkle-hash.js'

export interface InclusionClaim {
  /** The hash of the leaf (`hashLeaf`). */
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

export type InclusionFault =
  | 'bad-size'
  | 'index-not-below-size'
  | 'wrong-hash-length'
  | 'proof-too-short'
  | 'proof-too-long'
  | 'root-mismatch'

export type InclusionVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: InclusionFault }

/** Whether a leaf is in the tree that has this root, by its inclusion proof (RFC 9162 section 2.1.3.2). Never throws. */
export function verifyInclusion(sha256: Sha256, claim: InclusionClaim): InclusionVerdict {
  const { leaf, index, size, proof, root } = claim
  if (!isTreeSize(size) || !isTreeSize(index)) return { ok: false, reason: 'bad-size' }
  if (index >= size) return { ok: false, reason: 'index-not-below-size' }
  const ranges = inclusionRanges(index, size)
  if (proof.length < ranges.length) return { ok: false, reason: 'proof-too-short' }
  if (proof.length > ranges.length) return { ok: false, reason: 'proof-too-long' }
  if ([leaf, ...proof].some((hash) => hash.length !== hashBytes)) return { ok: false, reason: 'wrong-hash-length' }
  let hash = leaf
  for (const [at, sibling] of proof.entries()) {
    const isLeft = (ranges[at]?.end ?? 0) <= index
    hash = isLeft ? hashNode(sha256, sibling, hash) : hashNode(sha256, hash, sibling)
  }
  return sameBytes(hash, root) ? { ok: true } : { ok: false, reason: 'root-mismatch' }
}
