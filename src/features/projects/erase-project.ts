import type { ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import { AppError } from '../../platform/errors.js'
import type { Feature } from '../contract.js'
import { PROJECT_LIMITS } from './limits.js'
import type { ProjectStore } from './store.js'

export type EraseDeps = {
  readonly transact: Transact
  readonly store: ProjectStore
  readonly forget: () => void
  /** All that may hold something of a project. */
  readonly features: readonly Pick<Feature, 'name' | 'erase'>[]
}

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
 * Deletes what is left of buried projects: what an interrupted erasure left, and writes that were under way when the
 * keys were revoked. A project that cannot be swept does not keep the others from it; then this rejects with the first
 * failure.
 */
export async function sweepBuried(deps: EraseDeps): Promise<void> {
  const failures: unknown[] = []
  for (const { id, isLast } of await deps.store.listBuried(PROJECT_LIMITS.lastSweepAfterSeconds)) {
    try {
      await sweepProject(deps, id)
      // Crash before this line: it is swept once more.
      if (isLast) await deps.store.markSwept(id)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function sweepProject(deps: EraseDeps, id: ProjectId): Promise<Record<string, number>> {
  const rows: Record<string, number> = {}
  for (const { name, erase } of deps.features) {
    if (erase === undefined) continue
    let erased = 0
    // Crash between chunks: fewer rows; the next sweep goes on.
    for (
      let last = await erase(id, PROJECT_LIMITS.eraseChunkRowsMax);
      last > 0;
      last = await erase(id, PROJECT_LIMITS.eraseChunkRowsMax)
    ) {
      erased += last
    }
    rows[name] = erased
  }
  return rows
}
