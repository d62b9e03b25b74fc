import type { Clock } from '../../platform/clock.js'
import { every } from '../../platform/every.js'
import type { Logger } from '../../platform/logger.js'
import { USAGE_LIMITS } from './limits.js'

export type PartitionDeps = {
  readonly clock: Clock
  readonly logger: Logger
  /** Makes the partitions of this month and of the `partitionMonthsAheadMin` after it. */
  readonly ensure: (nowMs: number) => Promise<unknown>
  /** Drops those of more than so many months ago; answers their names. */
  readonly drop: (nowMs: number, monthsKept: number) => Promise<readonly string[]>
  /** 0: rows are kept for ever. */
  readonly monthsKept: number
  readonly onEnsured: () => void
}

/**
 * Makes the partitions that are due and drops those that are too old, at the start and hourly. A partition that cannot be
 * dropped keeps none from being made.
 */
export function lookAfterPartitions({ clock, logger, ensure, drop, monthsKept, onEnsured }: PartitionDeps) {
  let ensuredUntil: number | undefined
  const round = every({
    name: 'look after the usage partitions',
    run: async () => {
      const nowMs = clock()
      await ensure(nowMs)
      ensuredUntil = monthOf(nowMs) + USAGE_LIMITS.partitionMonthsAheadMin
      onEnsured()
      const dropped = monthsKept === 0 ? [] : await drop(nowMs, monthsKept)
      if (dropped.length > 0) logger.info({ dropped, monthsKept }, 'usage partitions beyond the retention were dropped')
    },
    pauseMs: USAGE_LIMITS.partitionsPauseMs,
    retryMs: USAGE_LIMITS.partitionsRetryMs,
    logger,
  })
  return {
    start: round.start,
    stop: round.stop,
    /** Whether next month's partition exists, as far as it is known: without this month's no event can be recorded. */
    isNextThere: () => ensuredUntil !== undefined && ensuredUntil > monthOf(clock()),
  }
}

/** Months since the beginning of our era, in UTC. */
function monthOf(ms: number): number {
  const date = new Date(ms)
  return 12 * date.getUTCFullYear() + date.getUTCMonth()
}
