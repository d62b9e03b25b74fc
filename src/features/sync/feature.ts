import type { ProjectId } from '../../access/principal.js'
import type { Sql } from '../../db/client.js'
import { every } from '../../platform/every.js'
import type { Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import type { Feature } from '../contract.js'
import { answerChanges } from './answer-changes.js'
import { createFanOut } from './fan-out.js'
import { SYNC_LIMITS } from './limits.js'
import { createLookAfter, type FindChangedKeys } from './look-after.js'
import { createReadEach, createReadPage } from './read-pages.js'
import { mountSync } from './routes.js'
import { createSyncStore } from './store.js'
import { streamChanges } from './stream-changes.js'
import { waitForChange } from './wait-for-change.js'
import type { WatchDeps } from './watch.js'
import { createWatchers } from './watchers.js'

export type SyncDeps = {
  readonly sql: Sql
  /** How old our knowledge of what other instances committed may be, in milliseconds. */
  readonly ageMs: () => number
  readonly logger: Logger
  readonly metrics: Metrics
  readonly findChangedKeys: FindChangedKeys
  readonly watchersMax: number
}

/** Tells clients what changed: at once, when they wait for it, or as events. */
export function createSync({ sql, ageMs, logger, metrics, findChangedKeys, watchersMax }: SyncDeps) {
  const store = createSyncStore(sql)
  const read = createReadPage(store.readPage)
  const fanOut = createFanOut()
  const watchers = createWatchers({ read, readEach: createReadEach(store.readEach), fanOut }, watchersMax)
  const lookAfter = createLookAfter({ watchers, fanOut, readHeads: store.readHeads, findChangedKeys, ageMs })
  const looking = every({
    ...{ name: 'look after those who follow changes', run: lookAfter.look, pauseMs: SYNC_LIMITS.lookMs, logger },
  })
  const watching: WatchDeps = { watchers, read, random: Math.random, count: countIn(metrics, watchers.count) }
  return {
    name: 'sync',
    mount: (app, guards) =>
      mountSync(app, guards, {
        answer: (scope, position) => answerChanges(read, scope, position),
        wait: (request, waitSeconds) => waitForChange(watching, request, waitSeconds),
        stream: (request) => streamChanges(watching, request),
      }),
    start: looking.startLater,
    close: looking.stop,
    onMessage: {
      'aliases-changed': ({ projectId, profiles }) => watchers.change(projectId as ProjectId, profiles),
      'key-changed': lookAfter.suspectKeys,
      'all-keys-changed': lookAfter.suspectKeys,
    },
    onMissedMessages: lookAfter.suspectAll,
  } satisfies Feature
}

function countIn(metrics: Metrics, watching: () => number): WatchDeps['count'] {
  metrics.gauge('llmring_watchers', 'Clients that follow changes: event streams and waiting requests.', watching)
  const counted = {
    events: metrics.counter('llmring_watcher_events_total', 'Pages of changes that were sent to event streams.'),
    cut: metrics.counter(
      'llmring_watchers_cut_total',
      'Event streams that were cut, as their readers took too little.',
    ),
  }
  return (what) => counted[what].increment()
}
