import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import type { Orm } from '../../db/orm.js'
import type { Clock } from '../../platform/clock.js'
import { every } from '../../platform/every.js'
import { createIds } from '../../platform/ids.js'
import { describeError, type Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Feature } from '../contract.js'
import { rowBytes } from './columns.js'
import { USAGE_LIMITS } from './limits.js'
import { lookAfterPartitions } from './look-after-partitions.js'
import { type Period, type PeriodText, readPeriod } from './period.js'
import { createCertifiableStore } from './price/certifiable-store.js'
import type { FindPrice } from './price/price-event.js'
import { priceWaiting } from './price/price-waiting.js'
import { type FindPriceAt, repriceEvents } from './price/reprice-events.js'
import { createRepricingStore, type RecordedQuery } from './price/repricing-store.js'
import { createAhead } from './read/download-ahead.js'
import { downloadLogs } from './read/download-logs.js'
import { exportUsage } from './read/export-usage.js'
import { listLogs } from './read/list-logs.js'
import { mountReading, type ReadingVerbs } from './read/list-routes.js'
import { exportMarks } from './record/export-marks.js'
import { forgetMarks } from './record/forget-marks.js'
import { sumGatewayCalls } from './record/gateway-store.js'
import { logBatch } from './record/log-batch.js'
import { logEvent, type RegistryLoaded } from './record/log-event.js'
import type { LogVerbs } from './record/log-routes.js'
import { openQueues } from './record/open-queues.js'
import type { Sender } from './record/prepare-event.js'
import { type CallSlot, keepCallRoom } from './record/record-call.js'
import { exportTexts } from './rollups/export-texts.js'
import { foldRollups } from './rollups/fold-rollups.js'
import { createRollupStore } from './rollups/rollup-store.js'
import { createSinglePass } from './rollups/single-pass.js'
import { mountUsage } from './routes.js'
import { isZone, partAt } from './stats/calendar.js'
import { computeStats, type ShowBudgets } from './stats/compute-stats.js'
import { sumSpending } from './stats/sum-spending.js'
import { createUsageStore, type UsageStore } from './store.js'

export type UsageDeps = {
  readonly sql: Sql
  readonly orm: Orm
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly config: {
    readonly groupItemsMax: number
    readonly lanes: number
    readonly idempotencyDays: number
    /** Whole months before this one that are kept; 0: all. */
    readonly retentionMonths: number
  }
  readonly findPrice: FindPrice
  readonly registryLoaded: RegistryLoaded
  readonly showBudgets: ShowBudgets
  /** How long a lost statement is waited and looked for; tests shorten it. */
  readonly patience?: { readonly commitMsMax: number; readonly outcomeMsMax: number }
}

export type UsageFeature = ReturnType<typeof createUsage>

/** The rollups alone, for a command. */
export const openRollups = createRollupStore

export function createUsage(deps: UsageDeps) {
  const store = createUsageStore(deps)
  const repricing = openRepricing(deps.sql)
  const pricing = createSinglePass(() =>
    priceWaiting({ store, findPrice: deps.findPrice, rowsMax: USAGE_LIMITS.repriceRowsMax }),
  )
  const priceInBackground = () =>
    void pricing.run().catch((error: unknown) => {
      deps.logger.warn({ error: describeError(error) }, 'could not price waiting usage; the next hour tries again')
    })
  const recording = openRecording(deps, store, priceInBackground)
  // Prices the rows, too, of an instance that crashed before it could.
  const { clock, logger, config } = deps
  const kept = { ensure: store.ensurePartitions, drop: store.dropPartitions, monthsKept: config.retentionMonths }
  const partitions = lookAfterPartitions({ clock, logger, ...kept, onEnsured: priceInBackground })
  const jobs = [forgetOldMarks(deps, store), foldClosedQuarters(deps, store)]
  return {
    name: 'usage',
    mount: (app, guards) => {
      mountUsage(app, guards, {
        ...recording.verbs,
        stats: (projectId, input) => computeStats({ ...deps, store: store.stats }, projectId, input),
      })
      mountReading(app, guards, readingVerbs(store))
    },
    /** Makes the partitions that are due, then hourly. Resolves even if that fails: it is tried again. */
    start: async () => {
      for (const job of jobs) job.startLater()
      await partitions.start()
    },
    /** Writes what waits, then stops. */
    close: async () => {
      await Promise.all([partitions, ...jobs].map((job) => job.stop()))
      await recording.drain()
      await pricing.idle()
    },
    ...holdings(store),
    ready: partitions.isNextThere,
    keepCallRoom: recording.keepCallRoom,
    /** What such calls cost. */
    sumCalls: (projectId: ProjectId, sinceMs: number) => sumGatewayCalls(deps.sql, projectId, sinceMs),
    /** What is certified of the calls. */
    logs: { ...openLogs(deps), isStill: repricing.isStill },
    repricing,
    /** What is spent in the days, weeks and months of a zone. */
    spending: openSpending(store),
    /** Prices what was recorded before any registry was loaded; answers how many rows. Call it when one has loaded. */
    priceWaiting: pricing.run,
  } satisfies Feature & Record<string, unknown>
}

function openSpending({ stats, rollups }: UsageStore) {
  const sum = (projectId: ProjectId, periods: readonly Period[]) => sumSpending(stats, projectId, periods)
  return { isZone, periodAt: partAt, marks: rollups.marksOfPending, sum }
}

function openLogs({ sql, clock }: UsageDeps) {
  return { ...createCertifiableStore(sql), readPeriod: (text: PeriodText) => readPeriod(text, clock()) }
}

/** Prices that change later: `price` says what events cost at others, `rewrite` changes them. */
function openRepricing(sql: Sql) {
  const store = createRepricingStore(sql)
  const price = (findPriceAt: FindPriceAt, projectId: ProjectId, query: RecordedQuery) =>
    repriceEvents(store, findPriceAt, projectId, query)
  return { ...store, price }
}

/** What it holds of a project: how that is erased and exported. */
function holdings(store: UsageStore) {
  return {
    erase: async (projectId, rowsMax) =>
      (await store.eraseChunk(projectId, rowsMax)) ||
      (await store.marks.eraseChunk(projectId, rowsMax)) ||
      store.rollups.eraseChunk(projectId, rowsMax),
    export: {
      usage: (projectId, after, rowsMax) => exportUsage(store.exportPage, projectId, after, rowsMax),
      usage_mark: (projectId, after, rowsMax) => exportMarks(store.marks.exportPage, projectId, after, rowsMax),
      usage_rollup: (projectId, after, rowsMax) => exportTexts(store.rollups.exportPage, projectId, after, rowsMax),
      usage_names: (projectId, after, rowsMax) => exportTexts(store.rollups.exportNames, projectId, after, rowsMax),
      usage_latency: (projectId, after, rowsMax) =>
        exportTexts(store.rollups.exportLatencies, projectId, after, rowsMax),
    },
  } satisfies Pick<Feature, 'erase' | 'export'>
}

function readingVerbs(store: UsageStore): ReadingVerbs {
  const downloads = {
    read: store.downloadPage,
    findEnd: store.downloadEnd,
    ahead: createAhead(USAGE_LIMITS.exportPagesAheadMax),
  }
  return {
    list: (projectId, input) => listLogs(store.list, projectId, input),
    download: (projectId, input) => downloadLogs(downloads, projectId, input),
  }
}

function openRecording(deps: UsageDeps, store: UsageStore, onPriceable: () => void) {
  const { clock, metrics, config, findPrice, registryLoaded, patience = USAGE_LIMITS } = deps
  const queues = openQueues({ clock, metrics, store, config, patience })
  const common = { clock, newId: createIds(), findPrice, registryLoaded, onPriceable }
  const single = { ...common, submit: queues.submitSingle }
  const batch = { ...common, keepRoom: queues.keepBatchRoom, claim: store.marks.claim }
  const verbs: LogVerbs = { log: (input) => logEvent(single, input), logBatch: (input) => logBatch(batch, input) }
  const observing = { ...common, keepRoom: queues.keepSingleRoom, submit: queues.submitSingle, rowBytes }
  const keepCallRoomFor = (sender: Sender): CallSlot => keepCallRoom(observing, sender)
  return { verbs, drain: queues.drain, keepCallRoom: keepCallRoomFor }
}

function forgetOldMarks({ clock, logger, config }: UsageDeps, { marks }: UsageStore) {
  const { purgeRowsMax: rowsMax, purgePauseMs: pauseMs } = USAGE_LIMITS
  const run = () => forgetMarks({ clock, purge: marks.purge, days: config.idempotencyDays, rowsMax })
  return every({ name: 'forget old idempotency keys', run, pauseMs, logger })
}

function foldClosedQuarters({ clock, logger }: UsageDeps, { rollups }: UsageStore) {
  const { foldPauseMs: pauseMs, foldRowsMax: rowsMax } = USAGE_LIMITS
  const run = () => foldRollups({ clock, ...rollups, rowsMax })
  return every({ name: 'fold the rollups of usage', run, pauseMs, logger })
}
