import { consistencyRanges, isTreeSize } from './leaf-range.js'
import { hashBytes, hashEmptyTree, hashNode, type Sha256, sameBytes } from './merkle-hash.js'

export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

type ConsistencyFault =
  | 'bad-size'
  | 'old-size-above-new'
  | 'wrong-hash-length'
  | 'proof-too-short'
  | 'proof-too-long'
  | 'old-root-mismatch'
  | 'new-root-mismatch'

export type ConsistencyVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: ConsistencyFault }

const no = (reason: ConsistencyFault): ConsistencyVerdict => ({ ok: false, reason })

/**
 * Whether the new tree begins with the old one, by a consistency proof (RFC 9162 section 2.1.4.2). Two heads of one
 * size must be equal, and the old head of size 0 must be the empty tree's; both take an empty proof. Never throws.
 */
export function verifyConsistency(
  sha256: Sha256,
  from: TreeHead,
  to: TreeHead,
  proof: readonly Uint8Array[],
): ConsistencyVerdict {
  if (!isTreeSize(from.size) || !isTreeSize(to.size)) return no('bad-size')
  if (from.size > to.size) return no('old-size-above-new')
  if (from.root.length !== hashBytes || to.root.length !== hashBytes) return no('wrong-hash-length')
  if (from.size === 0 && !sameBytes(from.root, hashEmptyTree(sha256))) return no('old-root-mismatch')
  if (from.size === to.size && !sameBytes(from.root, to.root)) return no('new-root-mismatch')
  if (from.size === 0 || from.size === to.size) return proof.length === 0 ? { ok: true } : no('proof-too-long')
  return foldBoth(sha256, from, to, proof)
}

function foldBoth(sha256: Sha256, from: TreeHead, to: TreeHead, proof: readonly Uint8Array[]): ConsistencyVerdict {
  const ranges = consistencyRanges(from.size, to.size)
  if (proof.length < ranges.length) return no('proof-too-short')
  if (proof.length > ranges.length) return no('proof-too-long')
  if (proof.some((hash) => hash.length !== hashBytes)) return no('wrong-hash-length')
  let old: Uint8Array | null = null
  let grown: Uint8Array | null = null
  // From a power of two the old root is itself the lowest hash, and no proof repeats it.
  if (ranges[0]?.end !== from.size) {
    old = from.root
    grown = from.root
  }
  for (const [at, hash] of proof.entries()) {
    if (old === null || grown === null) {
      old = hash
      grown = hash
    } else if ((ranges[at]?.end ?? 0) <= from.size) {
      old = hashNode(sha256, hash, old)
      grown = hashNode(sha256, hash, grown)
    } else {
      grown = hashNode(sha256, grown, hash)
    }
  }
  if (old === null || !sameBytes(old, from.root)) return no('old-root-mismatch')
  return grown !== null && sameBytes(grown, to.root) ? { ok: true } : no('new-root-mismatch')
}
