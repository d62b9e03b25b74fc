import type { Job } from './job.js'

/** A job as it goes over the wire. */
export function renderJob(job: Job) {
  return {
    id: job.id,
    status: job.status,
    dry_run: job.dryRun,
    start: job.fromAt.toISOString(),
    end: job.untilAt.toISOString(),
    registry_version: job.registryVersion,
    created_at: job.createdAt.toISOString(),
    finished_at: job.finishedAt?.toISOString() ?? null,
    reached: job.reachedAt?.toISOString() ?? null,
    progress: progressOf(job),
    last_failure: job.lastFailure,
    ...job.found,
  }
}

/** How much of the period was looked at, from 0 to 1. */
function progressOf({ status, fromAt, untilAt, reachedAt }: Job): number {
  if (status === 'done') return 1
  const span = untilAt.getTime() - fromAt.getTime()
  if (reachedAt === null || span <= 0) return 0
  return Math.round((1_000 * (reachedAt.getTime() - fromAt.getTime())) / span) / 1_000
}
