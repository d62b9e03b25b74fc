import {
  type Checkpoint,
  encodeBase64,
  formatNote,
  makeConsistencyProof,
  type Note,
  type ReadTiles,
  readRoot,
  sameBytes,
  verifyConsistency,
} from '../../core/tlog/index.js'
import { sha256 } from '../../platform/sha256.js'
import { type Contradiction, Finding } from './finding.js'

/** A checkpoint that the log's key has signed. */
export type SignedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: Note }

/**
 * Throws a `Finding` unless the tree of `now`, by the tiles that the log serves, begins with that of `before`. Whatever
 * contradicts each other is given as evidence: both notes have the log's signature.
 */
export async function compareCheckpoints(
  readTiles: ReadTiles,
  before: SignedCheckpoint,
  now: SignedCheckpoint,
): Promise<void> {
  const [from, to] = [before.checkpoint, now.checkpoint]
  if (from.size > to.size) {
    const why = `the log signed ${from.size} entries and shows only ${to.size}: it was rolled back, or shows only a part`
    throw new Finding('bad', why, contradiction(before, now))
  }
  if (from.size === to.size) {
    if (sameBytes(from.root, to.root)) return
    throw new Finding('bad', `the log signed two trees of ${from.size} entries`, contradiction(before, now))
  }
  const made = await makeConsistencyProof({ sha256, readTiles }, from.size, to.size)
  if (!made.ok) throw new Finding('undecided', `the log's tiles give no proof: ${made.reason}`)
  const verdict = verifyConsistency(sha256, from, to, made.proof)
  if (verdict.ok) return
  await checkRoot(readTiles, to)
  const why = `the log signed ${from.size} entries, and later ${to.size} that do not begin with them: it was rewritten`
  throw new Finding('bad', why, contradiction(before, now, made.proof))
}

/** Throws a `Finding` unless the tiles lead to a checkpoint's root. */
export async function checkRoot(readTiles: ReadTiles, { size, root }: Checkpoint): Promise<void> {
  const read = await readRoot({ sha256, readTiles }, size)
  if (!read.ok) throw new Finding('undecided', `the log's tiles are not whole: ${read.reason}`)
  if (!sameBytes(read.root, root)) throw new Finding('bad', "the log's tiles do not lead to the root that it signed")
}

function contradiction(before: SignedCheckpoint, now: SignedCheckpoint, proof?: readonly Uint8Array[]): Contradiction {
  const [first, second] = [before, now].map(({ note }) => Buffer.from(formatNote(note)).toString())
  const both = { first: first ?? '', second: second ?? '' }
  return proof === undefined ? both : { ...both, consistencyProof: proof.map(encodeBase64) }
}
