import { randomUUID } from 'node:crypto'
import { AppError } from '../../platform/errors.js'
import { describeError, type Logger } from '../../platform/logger.js'
import type { Claim, Job } from './job.js'
import type { JobStore } from './job-store.js'
import { REPRICE_LIMITS } from './limits.js'

export type WorkDeps = {
  readonly store: Pick<JobStore, 'claimDue' | 'giveBack'>
  /** The next chunk of a job; undefined if it was taken away or cancelled. */
  readonly runChunk: (claim: Claim) => Promise<Job | undefined>
  readonly logger: Logger
  readonly stopping: AbortSignal
}

/** Works on the jobs that are due, one after the other, until none is or the service stops. */
export async function workOnJobs(deps: WorkDeps): Promise<void> {
  while (!deps.stopping.aborted) {
    const claim = await deps.store.claimDue(randomUUID())
    if (claim === undefined) return
    await takeTurn(deps, claim)
  }
}

/** Some chunks of one job; then another one is due. A chunk that fails is tried again, by whoever takes the job up. */
async function takeTurn({ store, runChunk, logger, stopping }: WorkDeps, claim: Claim): Promise<void> {
  let job: Job | undefined = claim.job
  try {
    for (let turn = 0; turn < REPRICE_LIMITS.turnChunksMax && !stopping.aborted; turn += 1) {
      job = await runChunk({ ...claim, job })
      if (job === undefined || job.status === 'done') return
    }
    await store.giveBack(claim, null)
  } catch (error) {
    logger.warn({ job_id: claim.job.id, error: describeError(error) }, 'a chunk of a repricing failed')
    // What the database itself said is for the log alone. If this fails, too, the lease ends by itself.
    await store.giveBack(claim, error instanceof AppError ? error.message : 'an internal error').catch(() => undefined)
  }
}
