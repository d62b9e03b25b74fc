import type { Policy } from '../../../core/tlog/index.js'
import { AppError } from '../../../platform/errors.js'
import type { StoredCheckpoint, WitnessedStore } from '../checkpoint-store.js'
import { currentCheckpoint, type ShowDeps } from '../current-checkpoint.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import { etagOf, type PublishedCheckpoint } from '../published.js'
import { hasQuorum } from './first-witnessed.js'

export type LastWitnessedDeps = ShowDeps & {
  readonly policy: Policy | null
  readonly store: Pick<WitnessedStore, 'listLast'>
  /** Milliseconds that never go back. */
  readonly now: () => number
}

type Shown = Pick<PublishedCheckpoint, 'note' | 'etag'>

/**
 * The newest published checkpoint that enough witnesses cosigned: those of a busy log are younger than what any witness
 * was asked. Without witnesses that is the newest one. Throws `not-found` while there is none, and `log-suspended`. The
 * route is public, so the database is asked at most once in `witnessedLookMs`, whoever asks.
 */
export function createLastWitnessed({ policy, store, now, ...shown }: LastWitnessedDeps): () => Promise<Shown> {
  let last: { readonly at: number; readonly found: Promise<StoredCheckpoint | undefined> } | undefined
  const find = async (asked: Policy, sizeMax: number): Promise<StoredCheckpoint | undefined> => {
    const kept = await store.listLast(sizeMax, TRANSPARENCY_LIMITS.witnessedLookedAtMax)
    return kept.find(({ note }) => hasQuorum(asked, note))
  }
  const look = (asked: Policy, sizeMax: number): Promise<StoredCheckpoint | undefined> => {
    if (last !== undefined && now() - last.at < TRANSPARENCY_LIMITS.witnessedLookMs) return last.found
    const found = find(asked, sizeMax)
    last = { at: now(), found }
    // What failed is tried again by the next who asks.
    found.catch(() => {
      last = undefined
    })
    return found
  }
  return async () => {
    const newest = currentCheckpoint(shown)
    if (policy === null || hasQuorum(policy, new TextDecoder().decode(newest.note))) return newest
    const kept = await look(policy, newest.size)
    // The history may have come into question meanwhile.
    if (kept !== undefined && kept.size <= currentCheckpoint(shown).size) return shownOf(kept)
    throw new AppError('not-found', 'Not enough witnesses have cosigned a checkpoint of this log yet.')
  }
}

const shownOf = ({ note }: StoredCheckpoint): Shown => ({ note: new TextEncoder().encode(note), etag: etagOf(note) })
