import { setTimeout as pause } from 'node:timers/promises'
import { classifyFailure } from '../../db/failure.js'
import { monotonicClock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { createGrouping, type Grouping } from '../../platform/grouping.js'
import type { Metrics } from '../../platform/metrics.js'
import { commitGroup } from './commit-group.js'
import { createUsageCounters } from './count-usage.js'
import type { UsageRow } from './event.js'
import { USAGE_LIMITS } from './limits.js'

export type UsageQueueDeps = {
  readonly insert: (rows: readonly UsageRow[]) => Promise<void>
  readonly ensurePartitions: () => Promise<unknown>
  readonly metrics: Metrics
  readonly groupItemsMax: number
  readonly lanes: number
  readonly commitMsMax: number
  readonly outcomeMsMax: number
}

/** The queue that turns concurrent events into groups of rows. What is refused as an item's fault is halved. */
export function createUsageQueue(deps: UsageQueueDeps): Grouping<UsageRow, void> {
  const { groupBytesMax, queueItemsMax, queueBytesMax, ownerShareMax, outcomePauseMs } = USAGE_LIMITS
  const { companyItemsMin, companyMsMax } = USAGE_LIMITS
  const count = createUsageCounters(deps.metrics)
  const committing = { ...deps, monotonicClock, pause, outcomePauseMs }
  const queue = createGrouping<UsageRow, void>({
    commit: async (rows) => {
      await commitGroup(committing, rows)
      count(rows)
      return new Array<void>(rows.length).fill(undefined)
    },
    isItemFault: (error) => !(error instanceof AppError) && classifyFailure(error) === 'data',
    groupItemsMax: deps.groupItemsMax,
    lanes: deps.lanes,
    companyItemsMin: Math.min(companyItemsMin, deps.groupItemsMax),
    companyMsMax,
    groupBytesMax,
    queueItemsMax,
    queueBytesMax,
    ownerShareMax,
  })
  deps.metrics.gauge('llmring_usage_queue_depth', 'Usage rows that wait for a group.', queue.depth)
  return queue
}
