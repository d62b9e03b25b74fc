import type { ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import type { Job, NewJob } from './job.js'
import type { JobStore } from './job-store.js'
import { REPRICE_LIMITS } from './limits.js'
import { renderJob } from './render-job.js'

type PeriodResult =
  | { readonly ok: true; readonly period: { readonly fromMs: number; readonly untilMs: number } }
  | { readonly ok: false; readonly field: 'start_date' | 'end_date'; readonly message: string }

export type StartDeps = {
  readonly transact: Transact
  readonly clock: Clock
  readonly newId: () => string
  readonly store: Pick<JobStore, 'add' | 'find' | 'findOpen'>
  readonly readPeriod: (text: { readonly start: string; readonly end: string }) => PeriodResult
  /** Whether there are such versions of the registry. Throws `registry-unavailable` if that cannot be told now. */
  readonly hasVersions: (text: string) => Promise<boolean>
}
export type StartInput = {
  readonly projectId: ProjectId
  readonly keyId: string | null
  readonly start: string
  readonly end: string
  readonly registryVersion: string | null
  readonly dryRun: boolean
}

/**
 * Starts to reprice a period; the same request again, while the job is not over, gives that job. Throws
 * `validation-failed` for a time or a version that does not exist, and `conflict`, with the job, if another one of the
 * project is not over. What is recorded from now on is not part of it.
 */
export async function startJob(deps: StartDeps, input: StartInput): Promise<Job> {
  const { projectId, keyId, registryVersion, dryRun } = input
  const read = deps.readPeriod(input)
  if (!read.ok) throw invalid(read.field === 'start_date' ? '/start' : '/end', read.message)
  if (registryVersion !== null && !(await deps.hasVersions(registryVersion))) {
    throw invalid('/registry_version', 'names no version that there is; write it like openai@7 or anthropic@9+openai@7')
  }
  const { fromMs } = read.period
  const untilMs = Math.max(fromMs, Math.min(read.period.untilMs, deps.clock()))
  const id = deps.newId()
  const period = { fromAt: new Date(fromMs), untilAt: new Date(untilMs) }
  const job: NewJob = { projectId, id, keyId, registryVersion, dryRun, ...period }
  for (let tries = 0; tries < REPRICE_LIMITS.startTriesMax; tries += 1) {
    const isAdded = await deps.transact((tx) => deps.store.add(tx, job))
    const found = isAdded ? await deps.store.find(projectId, id) : await deps.store.findOpen(projectId)
    // Crash here: the job is there, and is worked on.
    if (found !== undefined && (isAdded || isSame(found, job))) return found
    if (found !== undefined) throw underWay(found)
  }
  throw underWay(undefined)
}

function isSame(open: Job, job: NewJob): boolean {
  const isOfPeriod = [open.fromAt, open.untilAt].join() === [job.fromAt, job.untilAt].join()
  return isOfPeriod && open.registryVersion === job.registryVersion && open.dryRun === job.dryRun
}

function underWay(open: Job | undefined): AppError {
  const current = open === undefined ? undefined : renderJob(open)
  return new AppError('conflict', 'Another repricing of this project is not over yet.', { current })
}

function invalid(pointer: string, message: string): AppError {
  return new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
