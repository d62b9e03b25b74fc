import { makeConsistencyProof, type ReadTiles, readRoot, verifyConsistency } from '../../../core/tlog/index.js'
import { sha256 } from '../../../platform/sha256.js'
import { sameBytes, type TreeHead } from '../tree-head.js'
import type { BarReason } from './suspension.js'

/** Remembers the newest checkpoint apart from the database. */
export type Guard = {
  readonly kind: 'file' | 'witness' | 'none'
  /** Reads again what is remembered. */
  recall(): Promise<void>
  /** Resolves once it is durable. Only goes forward. */
  remember(head: TreeHead, note: string): Promise<void>
  /** A witness says that it has seen a tree of this size, and none larger. What it said before counts no more. */
  learn(witness: string, size: number): void
  /** Whether a witness says that it has seen another tree than this one. */
  dispute(witness: string, isDisputed: boolean): void
  known(): Remembered
}

export type Remembered = {
  readonly newest: TreeHead | null
  /** The largest tree that a witness says it has seen; its root is not known. */
  readonly seenSize: number
  /** Why it cannot be told what should be remembered. */
  readonly trouble: GuardTrouble | null
}

type GuardTrouble = Extract<BarReason, 'guard-unreadable' | 'guard-unknown' | 'forked'>

/**
 * Whether a tree of the database goes on from what the guard remembered before the tree was read; null if it does. A
 * tree without leaves says nothing, so a log may begin before any witness has answered.
 */
export async function judgeHead(
  { newest, seenSize, trouble }: Remembered,
  head: TreeHead,
  readTiles: ReadTiles,
): Promise<BarReason | null> {
  if (head.size < seenSize) return 'rolled-back'
  if (trouble !== null && (head.size > 0 || trouble === 'guard-unreadable')) return trouble
  if (newest === null) return null
  if (head.size < newest.size) return 'rolled-back'
  if (head.size === newest.size) return sameBytes(head.root, newest.root) ? null : 'forked'
  const read = await readRoot({ sha256, readTiles }, newest.size)
  return read.ok && sameBytes(read.root, newest.root) ? null : 'forked'
}

/** Throws unless the tiles prove that `to` begins with `from`. */
export async function proveGrowth(readTiles: ReadTiles, from: TreeHead, to: TreeHead): Promise<void> {
  const made = await makeConsistencyProof({ sha256, readTiles }, from.size, to.size)
  if (!made.ok) throw new Error(`the log has no consistency proof from ${from.size} to ${to.size}: ${made.reason}`)
  const verdict = verifyConsistency(sha256, from, to, made.proof)
  if (!verdict.ok)
    throw new Error(`the log at ${to.size} does not begin with the one at ${from.size}: ${verdict.reason}`)
}
