import { consistencyRanges, inclusionRanges, isTreeSize } from './leaf-range.js'
import { readRanges, type TileRefusal, type TreeDeps } from './read-tree.js'

export type MakeProofResult =
  | { readonly ok: true; readonly proof: readonly Uint8Array[] }
  | { readonly ok: false; readonly reason: 'bad-size' | 'index-not-below-size' | 'old-size-above-new' }
  | TileRefusal

/** The inclusion proof (RFC 6962 section 2.1.1) of leaf `index` in the tree's first `size` leaves, in one read. */
export async function makeInclusionProof(deps: TreeDeps, index: number, size: number): Promise<MakeProofResult> {
  if (!isTreeSize(size) || !isTreeSize(index)) return { ok: false, reason: 'bad-size' }
  if (index >= size) return { ok: false, reason: 'index-not-below-size' }
  return asProof(await readRanges(deps, size, inclusionRanges(index, size)))
}

/**
 * The consistency proof (RFC 6962 section 2.1.2) that the tree's first `to` leaves begin with its first `from`, in one
 * read. Empty from 0 and from the same size, as c2sp.org/tlog-witness has it.
 */
export async function makeConsistencyProof(deps: TreeDeps, from: number, to: number): Promise<MakeProofResult> {
  if (!isTreeSize(from) || !isTreeSize(to)) return { ok: false, reason: 'bad-size' }
  if (from > to) return { ok: false, reason: 'old-size-above-new' }
  if (from === 0 || from === to) return { ok: true, proof: [] }
  return asProof(await readRanges(deps, to, consistencyRanges(from, to)))
}

function asProof(read: Awaited<ReturnType<typeof readRanges>>): MakeProofResult {
  return read.ok ? { ok: true, proof: read.hashes } : read
}
