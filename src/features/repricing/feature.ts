import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Orm } from '../../db/orm.js'
import type { Transact } from '../../db/transact.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { every } from '../../platform/every.js'
import { createIds } from '../../platform/ids.js'
import type { Logger } from '../../platform/logger.js'
import type { Feature } from '../contract.js'
import { createJobStore } from './job-store.js'
import { REPRICE_LIMITS } from './limits.js'
import { mountRepricing } from './routes.js'
import { type ChunkDeps, type PriceAt, type RepricedEvent, runChunk } from './run-chunk.js'
import { type StartDeps, startJob } from './start-job.js'
import { workOnJobs } from './work-on-jobs.js'

export type RepricingDeps<Event extends RepricedEvent, Found> = Omit<ChunkDeps<Event, Found>, 'store'> & {
  readonly sql: Sql
  readonly orm: Orm
  readonly transact: Transact
  readonly clock: Clock
  readonly logger: Logger
  readonly readPeriod: StartDeps['readPeriod']
  readonly pricing: {
    /** At the time of each event. */
    readonly inForce: PriceAt<Found>
    /** In versions such as `openai@7`; undefined if there is no such. Throws `registry-unavailable`. */
    inVersions(text: string): Promise<PriceAt<Found> | undefined>
  }
}

/** Prices that change what was recorded: of a period, in the background, chunk by chunk. */
export function createRepricing<Event extends RepricedEvent, Found>(deps: RepricingDeps<Event, Found>) {
  const { clock, logger, pricing } = deps
  const store = createJobStore(deps)
  const newId = createIds()
  const stopping = new AbortController()
  const starting: StartDeps = {
    ...deps,
    store,
    newId: () => newId(clock()),
    hasVersions: async (text) => (await pricing.inVersions(text)) !== undefined,
  }
  const pricesOf = async (text: string | null): Promise<PriceAt<Found>> => {
    const prices = text === null ? pricing.inForce : await pricing.inVersions(text)
    if (prices === undefined) throw new AppError('registry-unavailable', `The registry has no ${text} any more.`)
    return prices
  }
  const work = {
    ...{ store, logger, stopping: stopping.signal },
    runChunk: async (claim: Parameters<typeof runChunk>[2]) =>
      runChunk({ ...deps, store }, await pricesOf(claim.job.registryVersion), claim),
  }
  const run = () => workOnJobs(work)
  const turns = every({ name: 'work on repricings', run, pauseMs: REPRICE_LIMITS.pollPauseMs, logger })
  const find = async (projectId: ProjectId, id: string) => {
    const job = await store.find(projectId, id)
    if (job === undefined) throw new AppError('not-found', 'There is no such repricing.')
    return job
  }
  return {
    name: 'repricing',
    mount: (app, guards) =>
      mountRepricing(app, guards, {
        ...{ start: (input) => startJob(starting, input), list: store.list, find },
        cancel: async (projectId, id) => {
          const cancelled = await store.cancel(projectId, id)
          return { cancelled, job: await find(projectId, id) }
        },
      }),
    start: () => turns.startLater(),
    close: async () => {
      stopping.abort()
      await turns.stop()
    },
    erase: store.eraseChunk,
    export: { repricing: store.exportPage },
  } satisfies Feature
}
