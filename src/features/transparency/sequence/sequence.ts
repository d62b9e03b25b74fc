import {
  appendLeaves,
  hashLeaf,
  openTreeEdge,
  type ReadTiles,
  rootOfEdge,
  type Tile,
} from '../../../core/tlog/index.js'
import type { Transact, Tx } from '../../../db/transact.js'
import { invariant } from '../../../platform/invariant.js'
import { sha256 } from '../../../platform/sha256.js'
import { createSlices } from '../../../platform/slices.js'
import { proveGrowth } from '../guard/guard.js'
import type { BarReason } from '../guard/suspension.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import { sameBytes, type TreeHead } from '../tree-head.js'
import type { OnStep } from './durable-step.js'
import { extendTree, openTurn, readerIn, type SequenceTurn } from './sequence-store.js'

export type SequenceDeps = {
  readonly transact: Transact
  /** Null if the tree goes on from what was signed. */
  readonly judge: (head: TreeHead, readTiles: ReadTiles) => Promise<BarReason | null>
  readonly onStep: OnStep
}

/** What became of one look at the pending leaves. */
export type Sequenced =
  /** Another session sequences at this moment. */
  | { readonly status: 'busy' }
  | { readonly status: 'refused'; readonly reason: BarReason }
  /** The head has to be signed before anything is added to it. */
  | { readonly status: 'unsigned'; readonly head: TreeHead }
  | { readonly status: 'idle' }
  | { readonly status: 'extended'; readonly head: TreeHead; readonly leaves: number; readonly isFull: boolean }

/**
 * Numbers all pending leaves that are visible, up to a chunk, in the order of their ids, and extends the tree by them: in
 * one transaction, under a lock of which the database has one. Nothing is signed here.
 */
export function sequencePending(deps: SequenceDeps): Promise<Sequenced> {
  return deps.transact(async (tx) => {
    const turn = await openTurn(tx, TRANSPARENCY_LIMITS.chunkLeavesMax)
    if (turn === null) return { status: 'busy' }
    const { head, pending } = turn
    const reason = await deps.judge(head, readerIn(tx))
    if (reason !== null) return { status: 'refused', reason }
    if (!turn.noted) return { status: 'unsigned', head }
    if (pending.length === 0) return { status: 'idle' }
    const next = await extendBy(tx, turn)
    // Crash here: the transaction is rolled back. The leaves are still pending, the tree is the old one, and no
    // checkpoint mentions them; the next look starts over.
    await deps.onStep('extended')
    return {
      ...{ status: 'extended', head: next, leaves: pending.length },
      isFull: pending.length === TRANSPARENCY_LIMITS.chunkLeavesMax,
    }
  }, TRANSPARENCY_LIMITS.chunkMsMax)
}

async function extendBy(tx: Tx, { head, tiles: stored, pending }: SequenceTurn): Promise<TreeHead> {
  const opened = openTreeEdge(head.size, new Map(stored.map(({ level, hashes }) => [level, hashes])))
  invariant(opened.ok, 'the tiles at the edge of the tree are there')
  invariant(sameBytes(rootOfEdge(sha256, opened.edge), head.root), 'the tiles at the edge have the root of the head')
  const tiles = new Map(stored.map((tile) => [placeOf(tile), tile.hashes]))
  const written = new Map<string, Tile>()
  let { edge } = opened
  const slices = createSlices()
  for (let at = 0; at < pending.length; at += TRANSPARENCY_LIMITS.sliceLeavesMax) {
    const slice = pending.slice(at, at + TRANSPARENCY_LIMITS.sliceLeavesMax)
    const leaves = slice.map(({ entry }) => hashLeaf(sha256, entry))
    const appended = appendLeaves(sha256, edge, leaves)
    edge = appended.edge
    for (const tile of appended.tiles) {
      written.set(placeOf(tile), tile)
      tiles.set(placeOf(tile), tile.hashes)
    }
    if (slices.isDue()) await slices.pause()
  }
  const next = { size: edge.size, root: rootOfEdge(sha256, edge) }
  const readTiles: ReadTiles = async (wanted) => wanted.map((tile) => tiles.get(placeOf(tile)) ?? null)
  await proveGrowth(readTiles, head, next)
  await extendTree(tx, head, next, pending, [...written.values()])
  return next
}

const placeOf = ({ level, index }: { readonly level: number; readonly index: number }): string => `${level}/${index}`
