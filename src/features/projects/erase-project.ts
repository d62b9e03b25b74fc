import type { ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import type { Feature } from '../contract.js'
import type { ProjectStore } from './store.js'

export type EraseDeps = {
  readonly transact: Transact
  readonly store: ProjectStore
  readonly forget: () => void
  /** All that may hold something of a project. */
  readonly features: readonly Pick<Feature, 'name' | 'erase'>[]
}

const CHUNK_ROWS_MAX = 5_000
/** An authenticated write may land this long after its key was revoked; a sweep that began later than this is the last. */
const LAST_SWEEP_AFTER_SECONDS = 300

/**
 * Erases everything of a project. Throws `not-found`, also for one that was erased before: the sweep finishes what an
 * interruption left. Answers how many rows went, by feature.
 */
export async function eraseProject(deps: EraseDeps, id: ProjectId): Promise<Record<string, number>> {
  // Crash after this commit: the keys are dead and the tombstone is there; the data goes with the next sweep.
  const buried = await deps.transact((tx) => deps.store.buryProject(tx, id))
  if (!buried) throw new AppError('not-found', 'There is no such project.')
  deps.forget()
  return sweepProject(deps, id)
}

/**
 * Deletes what is left of buried projects: what an interrupted erasure left, and writes that were under way when the keys
 * were revoked. `onFailure` hears of a project that could not be swept; the others are, and it is tried again.
 */
export async function sweepBuried(deps: EraseDeps, onFailure: (error: unknown) => void): Promise<void> {
  for (const { id, isLast } of await deps.store.listBuried(LAST_SWEEP_AFTER_SECONDS)) {
    try {
      await sweepProject(deps, id)
      // Crash before this line: it is swept once more.
      if (isLast) await deps.store.markSwept(id)
    } catch (error) {
      onFailure(error)
    }
  }
}

async function sweepProject(deps: EraseDeps, id: ProjectId): Promise<Record<string, number>> {
  const rows: Record<string, number> = {}
  for (const { name, erase } of deps.features) {
    if (erase === undefined) continue
    let erased = 0
    // Crash between chunks: fewer rows; the next sweep goes on.
    for (let last = await erase(id, CHUNK_ROWS_MAX); last > 0; last = await erase(id, CHUNK_ROWS_MAX)) {
      erased += last
    }
    rows[name] = erased
  }
  return rows
}
