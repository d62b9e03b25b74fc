import { makeConsistencyProof, makeInclusionProof, type ReadTiles } from '../../../core/tlog/index.js'
import { AppError } from '../../../platform/errors.js'
import { invariant } from '../../../platform/invariant.js'
import { sha256 } from '../../../platform/sha256.js'
import { currentCheckpoint, type ShowDeps } from '../current-checkpoint.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { EntryProof } from '../transparency-log.js'
import type { FirstWitnessed } from '../witness/first-witnessed.js'
import type { TileStore } from './tile-store.js'

export type ProveDeps = ShowDeps & {
  readonly store: Pick<TileStore, 'findIndex' | 'isPending'>
  readonly readTiles: ReadTiles
  readonly firstWitnessed: FirstWitnessed
}

/**
 * Where the entry is in the published tree, under the first checkpoint that witnesses saw it in, or under the newest;
 * null while it is not there. Throws `log-suspended`.
 */
export async function proveEntry(deps: ProveDeps, entry: Uint8Array): Promise<EntryProof | null> {
  deps.refuseWhileBarred()
  const newest = deps.published.current()
  if (newest === null) return null
  const index = await deps.store.findIndex(entry)
  if (index === null || index >= newest.size) return null
  const witnessed = await deps.firstWitnessed(index)
  const isShown = witnessed !== undefined && witnessed.size <= newest.size
  const { size, note } = isShown ? { ...witnessed, note: new TextEncoder().encode(witnessed.note) } : newest
  const made = await makeInclusionProof({ sha256, readTiles: deps.readTiles }, index, size)
  invariant(made.ok, 'every tile of a published tree is there')
  return { index, proof: made.proof, checkpoint: note }
}

/** The same for whoever asks by its hash. Throws `not-found`, `not-logged-yet` and `log-suspended`. */
export async function proveHash(deps: ProveDeps, entry: Uint8Array): Promise<EntryProof> {
  const proof = await proveEntry(deps, entry)
  if (proof !== null) return proof
  // In the direction in which entries move, so that one that is sequenced between the two questions is seen by the second.
  const isComing =
    (await deps.store.isPending(entry, TRANSPARENCY_LIMITS.pendingSearchedMax)) ||
    (await deps.store.findIndex(entry)) !== null
  if (!isComing) throw new AppError('not-found', 'The log has no such entry.')
  throw new AppError('not-logged-yet', 'The entry is pending: the next checkpoint covers it.', { retryAfterSeconds: 1 })
}

export type ConsistencyProof = {
  readonly from: number
  readonly to: number
  readonly proof: readonly Uint8Array[]
}

/**
 * That the tree's first `to` leaves, or those of the published tree, begin with its first `from`. Throws
 * `validation-failed` and `log-suspended`.
 */
export async function proveConsistency(
  deps: ProveDeps,
  range: { readonly from: number; readonly to: number | undefined },
): Promise<ConsistencyProof> {
  const { size } = currentCheckpoint(deps)
  const { from, to = size } = range
  if (from > to || to > size) {
    const message = `must be at most ${from > to ? to : size}`
    const errors = [{ pointer: `query/${from > to ? 'from' : 'to'}`, message }]
    throw new AppError('validation-failed', 'The published tree has no such sizes.', { errors })
  }
  const made = await makeConsistencyProof({ sha256, readTiles: deps.readTiles }, from, to)
  invariant(made.ok, 'every tile of a published tree is there')
  return { from, to, proof: made.proof }
}
