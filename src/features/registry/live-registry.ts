import type { Clock } from '../../platform/clock.js'
import { describeError, type Logger } from '../../platform/logger.js'
import type { Metrics } from '../../platform/metrics.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { Copies } from './open-copies.js'
import { PROVIDER_NAMES } from './providers.js'
import { createRefresher } from './refresher.js'
import { type RestoreDeps, restoreCopies } from './restore-copies.js'
import { type Snapshot, takeSnapshot } from './snapshot.js'

export type LiveDeps = RestoreDeps & {
  readonly copies: Copies
  readonly clock: Clock
  readonly logger: Logger
  readonly fetchMsMax: number
}

/** The copies with their refresher, and the snapshot that is in force. */
export type LiveRegistry = {
  readonly snapshot: () => Snapshot
  readonly tick: () => void
  readonly firstRound: () => Promise<void>
  onLoaded(callback: () => void): void
  start(): Promise<void>
  close(): Promise<void>
}

/** Keeps the snapshot equal to the copies. A callback that throws is logged and does not stop the others. */
export function openLiveRegistry(deps: LiveDeps): LiveRegistry {
  const { copies, clock, logger } = deps
  const callbacks: (() => void)[] = []
  let snapshot = takeSnapshot(copies.providers)
  const publish = (isNew: boolean): void => {
    snapshot = takeSnapshot(copies.providers)
    if (!isNew) return
    for (const callback of callbacks) {
      try {
        callback()
      } catch (error) {
        logger.error({ error: describeError(error) }, 'registry listener failed')
      }
    }
  }
  const refresher = createRefresher({
    copies: copies.all,
    clock,
    firstLoadMsMax: Math.min(deps.fetchMsMax + REGISTRY_LIMITS.firstLoadMarginMs, REGISTRY_LIMITS.firstLoadMsMax),
    isComplete: () => snapshot.complete,
    onAttempt: (copy, isNew) => publish(isNew && copy !== copies.manifest),
  })
  return {
    ...refresher,
    snapshot: () => snapshot,
    onLoaded: (callback) => void callbacks.push(callback),
    start: async () => {
      await restoreCopies(deps, copies.restorable)
      publish(takeSnapshot(copies.providers).files.length > 0)
      refresher.start()
    },
  }
}

/** The age of each provider's copy in seconds; NaN where it was never loaded. */
export function exposeAges(metrics: Metrics, { providers }: Copies, clock: Clock): void {
  for (const name of PROVIDER_NAMES) {
    const help = `Seconds since the registry's origin last confirmed the copy of ${name}.`
    metrics.gauge(`llmring_registry_${name}_age_seconds`, help, () => {
      const { confirmedAt } = providers[name].state()
      return confirmedAt === undefined ? Number.NaN : (clock() - confirmedAt) / 1000
    })
  }
}
