import { type NoteKey, type ReadTiles, readRoot } from '../../../core/tlog/index.js'
import { sha256 } from '../../../platform/sha256.js'
import type { CheckpointStore } from '../checkpoint-store.js'
import { openOwnNote } from '../guard/create-guard.js'
import { type Guard, judgeHead, type Remembered } from '../guard/guard.js'
import type { Suspension } from '../guard/suspension.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { Published } from '../published.js'
import { sameBytes } from '../tree-head.js'

export type PollDeps = {
  readonly store: Pick<CheckpointStore, 'readState' | 'newest'>
  readonly guard: Guard
  readonly logKey: NoteKey
  readonly published: Published
  readonly suspension: Suspension
  readonly readTiles: ReadTiles
  readonly now: () => number
}

/** What a look at the database told. */
export type Polled = {
  readonly size: number
  readonly pending: number
  /** How long the oldest leaf has waited for a checkpoint, in milliseconds. */
  readonly waitingMs: number
  /** Whether there is something to sequence or to sign. */
  readonly hasWork: boolean
}

/** Looks at what all instances have done to the log: whether it went back, newer checkpoints, leaves that wait. */
export function createPoll(deps: PollDeps): () => Promise<Polled> {
  const { store, guard, published, suspension, readTiles, now } = deps
  let unsignedSince: number | null = null
  return async () => {
    if (suspension.isBarred()) await guard.recall()
    const remembered = guard.known()
    const { head, notedSize, notedWitnesses, pending, pendingMs } = await store.readState()
    const reason = await judgeHead(remembered, head, readTiles)
    if (reason === null && suspension.isBarred()) published.forget()
    suspension.bar(reason)
    const isSigned = notedSize !== null && notedSize >= head.size
    unsignedSince = isSigned ? null : (unsignedSince ?? now())
    const waitingMs = Math.max(pendingMs, unsignedSince === null ? 0 : now() - unsignedSince)
    suspension.lag(waitingMs > TRANSPARENCY_LIMITS.lagMsMax)
    const isNewer = notedSize !== null && !published.isKnown({ size: notedSize, witnesses: notedWitnesses })
    if (reason === null && isNewer) await showNewest(deps, remembered)
    return { size: head.size, pending, waitingMs, hasWork: pending > 0 || !isSigned }
  }
}

/** Shows the newest checkpoint that was kept, if it is one of this tree, once it is remembered. Throws if this log's key did not sign it. */
async function showNewest(
  { store, guard, logKey, published, suspension, readTiles }: PollDeps,
  remembered: Remembered,
): Promise<void> {
  const newest = await store.newest()
  if (newest === undefined) return
  const stated = await openOwnNote(logKey, new TextEncoder().encode(newest.note))
  if (stated === null || stated.size !== newest.size || !sameBytes(stated.root, newest.root)) {
    throw new Error(`the checkpoint of size ${newest.size} in the database was not signed by the key of this log`)
  }
  const read = await readRoot({ sha256, readTiles }, newest.size)
  const isOwn = read.ok && sameBytes(read.root, newest.root)
  const reason = isOwn ? await judgeHead(remembered, newest, readTiles) : 'forked'
  suspension.bar(reason)
  if (reason !== null) return
  await guard.remember(newest, newest.note)
  published.advance(newest)
}
