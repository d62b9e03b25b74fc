import { describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import type { Transact, Tx } from '../../src/db/transact.js'
import type { Claim, Job } from '../../src/features/repricing/job.js'
import { REPRICE_LIMITS } from '../../src/features/repricing/limits.js'
import { renderJob } from '../../src/features/repricing/render-job.js'
import { type StartDeps, type StartInput, startJob } from '../../src/features/repricing/start-job.js'
import { NOTHING_FOUND } from '../../src/features/repricing/tally.js'
import { workOnJobs } from '../../src/features/repricing/work-on-jobs.js'
import { AppError } from '../../src/platform/errors.js'
import { createLogger } from '../../src/platform/logger.js'

const START = Date.parse('2026-01-01T00:00:00Z')
const END = Date.parse('2026-02-01T00:00:00Z')
const PROJECT = '019a0000-0000-7000-8000-000000000001' as ProjectId
const JOB: Job = {
  ...{ projectId: PROJECT, id: 'job', createdAt: new Date(START), fromAt: new Date(START), untilAt: new Date(END) },
  ...{ registryVersion: null, dryRun: false, status: 'waiting', reachedAt: null, reachedId: null },
  ...{ found: NOTHING_FOUND, lastFailure: null, finishedAt: null },
}

describe('an instance that works on repricings', () => {
  /** Jobs of so many chunks each; what was done with them, in order. */
  async function work(jobs: Record<string, number>, onChunk: (id: string) => void = () => undefined) {
    const waiting = Object.entries(jobs)
    const done: string[] = []
    const stopping = new AbortController()
    await workOnJobs({
      ...{ logger: createLogger('silent'), stopping: stopping.signal },
      store: {
        claimDue: async (lease) => {
          const [next] = waiting
          return next === undefined ? undefined : { job: { ...JOB, id: next[0] }, lease }
        },
        giveBack: async ({ job }, failure) => {
          done.push(`${job.id} ${failure ?? 'given back'}`)
          // The one that waits longest comes next; a failure waits for later.
          const [first] = waiting.splice(0, 1)
          if (failure === null && first !== undefined) waiting.push(first)
        },
      },
      runChunk: async ({ job }: Claim) => {
        const own = waiting[0] as [string, number]
        done.push(job.id)
        onChunk(job.id)
        if (stopping.signal.aborted) return undefined
        own[1] -= 1
        if (own[1] > 0) return { ...job, status: 'running' as const }
        waiting.shift()
        return own[1] === 0 ? { ...job, status: 'done' as const } : undefined
      },
    })
    return { done, stop: () => stopping.abort() }
  }

  it('does one after the other, each to its end', async () => {
    expect((await work({ one: 2, other: 3 })).done).toEqual(['one', 'one', 'other', 'other', 'other'])
  })

  it('lets another one have its turn after so many chunks', async () => {
    const { done } = await work({ large: REPRICE_LIMITS.turnChunksMax + 1, small: 1 })
    expect(done.slice(0, -3)).toEqual(Array(REPRICE_LIMITS.turnChunksMax).fill('large'))
    expect(done.slice(-3)).toEqual(['large given back', 'small', 'large'])
  })

  it('gives up the turn of a chunk that fails, and says why in words of its own', async () => {
    const failing = (error: Error) =>
      work({ bad: 1, good: 1 }, (id) => {
        if (id === 'bad') throw error
      })
    const known = new AppError('registry-unavailable', 'The registry has no google@9 any more.')
    expect((await failing(known)).done).toEqual(['bad', 'bad The registry has no google@9 any more.', 'good'])
    expect((await failing(new Error('password=hunter2'))).done).toEqual(['bad', 'bad an internal error', 'good'])
  })

  it('leaves a job alone that was cancelled or taken over', async () => {
    expect((await work({ gone: 0, other: 1 })).done).toEqual(['gone', 'other'])
  })
})

describe('starting a repricing', () => {
  const input: StartInput = {
    ...{
      projectId: PROJECT,
      keyId: null,
      start: '2026-01-01',
      end: '2026-01-31',
      registryVersion: null,
      dryRun: false,
    },
  }
  const transact: Transact = (run) => run({} as Tx)
  function starting(open: Job | undefined, changes: Partial<StartDeps> = {}) {
    const added: object[] = []
    const deps: StartDeps = {
      ...{ transact, clock: () => END + 1, newId: () => 'new', hasVersions: async () => true },
      readPeriod: () => ({ ok: true, period: { fromMs: START, untilMs: END } }),
      store: {
        add: async (_tx, job) => {
          if (open === undefined) added.push(job)
          return open === undefined
        },
        find: async () => ({ ...JOB, id: 'new' }),
        findOpen: async () => open,
      },
      ...changes,
    }
    return { added, start: (more: Partial<StartInput> = {}) => startJob(deps, { ...input, ...more }) }
  }

  it('adds a job for the period, up to now and no further', async () => {
    const { start, added } = starting(undefined)
    expect((await start()).id).toBe('new')
    expect(added).toEqual([expect.objectContaining({ fromAt: new Date(START), untilAt: new Date(END) })])
    const early = starting(undefined, { clock: () => START + 5 })
    await early.start()
    expect(early.added).toEqual([expect.objectContaining({ untilAt: new Date(START + 5) })])
    const future = starting(undefined, { clock: () => START - 5 })
    await future.start()
    expect(future.added).toEqual([expect.objectContaining({ fromAt: new Date(START), untilAt: new Date(START) })])
  })

  it('answers the same request again with the job that is not over', async () => {
    expect((await starting(JOB).start()).id).toBe('job')
  })

  it.each([
    ['dry run', { dryRun: true }],
    ['other versions', { registryVersion: 'google@1' }],
  ])('refuses another one (%s) meanwhile, and shows the one that is not over', async (_, changes) => {
    const refusal = await starting(JOB)
      .start(changes)
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'conflict', extras: { current: renderJob(JOB) } })
  })

  it('tries again if the one in its way ends meanwhile, and not for ever', async () => {
    let tries = 0
    const store = { add: async () => ++tries === 2, find: async () => JOB, findOpen: async () => undefined }
    expect(await starting(undefined, { store }).start()).toBe(JOB)
    const never = { ...store, add: async () => false }
    await expect(starting(undefined, { store: never }).start()).rejects.toMatchObject({ code: 'conflict' })
  })

  it('points at the time or the versions that do not exist', async () => {
    const readPeriod: StartDeps['readPeriod'] = () => ({ ok: false, field: 'end_date', message: 'must be a date' })
    const wrong = starting(undefined, { readPeriod, hasVersions: async () => false })
    await expect(wrong.start()).rejects.toMatchObject({ extras: { errors: [{ pointer: '/end' }] } })
    const unknown = starting(undefined, { hasVersions: async () => false })
    await expect(unknown.start({ registryVersion: 'x@1' })).rejects.toMatchObject({
      extras: { errors: [{ pointer: '/registry_version' }] },
    })
  })
})

describe('a repricing that is shown', () => {
  const shown = (changes: Partial<Job>) => renderJob({ ...JOB, ...changes })

  it('says how much of its period is done', () => {
    expect(shown({}).progress).toBe(0)
    expect(shown({ reachedAt: new Date((START + END) / 2) }).progress).toBe(0.5)
    expect(shown({ reachedAt: new Date(END - 1) }).progress).toBe(1)
    expect(shown({ status: 'done' }).progress).toBe(1)
    expect(shown({ untilAt: new Date(START), reachedAt: new Date(START) }).progress).toBe(0)
  })

  it('has the sums as they were found', () => {
    expect(shown({ found: { ...NOTHING_FOUND, events: 3 } })).toMatchObject({ events: 3, by_model: {}, skipped: 0 })
  })
})
