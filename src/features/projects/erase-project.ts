import type { Transact } from '../../db/transact.js'
import type { ProjectId } from '../../http/principal.js'
import { AppError } from '../../platform/errors.js'
import type { ProjectStore } from './store.js'

/** Deletes at most `rowsMax` rows of a project and says how many: one short statement of one feature. */
export type EraseChunk = (projectId: ProjectId, rowsMax: number) => Promise<number>

export type EraseDeps = {
  readonly transact: Transact
  readonly store: ProjectStore
  readonly forget: () => void
  /** By the name under which the answer counts them. */
  readonly erasers: Readonly<Record<string, EraseChunk>>
}

const CHUNK_ROWS_MAX = 5_000
/** An authenticated write may land this long after its key was revoked; tombstones younger than this are swept again. */
export const SWEEP_AGAIN_SECONDS = 300

/** Erases everything of a project. Throws `not-found`. Answers how many rows went, by feature. */
export async function eraseProject(deps: EraseDeps, id: ProjectId): Promise<Record<string, number>> {
  // Crash after this commit: the keys are dead and the tombstone is there; the data goes with the next sweep.
  const buried = await deps.transact((tx) => deps.store.buryProject(tx, id))
  if (!buried) throw new AppError('not-found', 'There is no such project.')
  deps.forget()
  return sweepProject(deps, id)
}

/** Deletes what is left of buried projects: writes that were under way when their keys were revoked. */
export async function sweepBuried(deps: EraseDeps): Promise<void> {
  for (const id of await deps.store.listBuried(SWEEP_AGAIN_SECONDS)) await sweepProject(deps, id)
}

async function sweepProject(deps: EraseDeps, id: ProjectId): Promise<Record<string, number>> {
  const rows: Record<string, number> = {}
  for (const [name, eraseChunk] of Object.entries(deps.erasers)) {
    let erased = 0
    // Crash between chunks: fewer rows; the next sweep goes on.
    for (let last = CHUNK_ROWS_MAX; last >= CHUNK_ROWS_MAX; erased += last) last = await eraseChunk(id, CHUNK_ROWS_MAX)
    rows[name] = erased
  }
  return rows
}
