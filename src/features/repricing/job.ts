import type { ProjectId } from '../../access/principal.js'
import type { Found } from './tally.js'

export const JOB_STATUSES = ['waiting', 'running', 'done', 'cancelled', 'failed'] as const
export type JobStatus = (typeof JOB_STATUSES)[number]

/** The last event that was looked at: RFC 3339 with milliseconds, and its id. */
export type Reached = { readonly loggedAt: string; readonly id: string }

/** A period of a project that is repriced. */
export type Job = {
  readonly projectId: ProjectId
  readonly id: string
  readonly createdAt: Date
  readonly fromAt: Date
  readonly untilAt: Date
  /** `openai@7`; null: the prices in force at the time of each event. */
  readonly registryVersion: string | null
  readonly dryRun: boolean
  readonly status: JobStatus
  readonly reachedAt: Date | null
  readonly reachedId: string | null
  readonly found: Found
  readonly lastFailure: string | null
  readonly finishedAt: Date | null
}

export type NewJob = Pick<Job, 'projectId' | 'id' | 'fromAt' | 'untilAt' | 'registryVersion' | 'dryRun'> & {
  readonly keyId: string | null
}

/** A job that this instance works on, until another one may: `lease` names the turn. */
export type Claim = { readonly job: Job; readonly lease: string }
