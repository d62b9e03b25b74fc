import { setTimeout as pause } from 'node:timers/promises'
import { classifyFailure } from '../../../db/failure.js'
import { monotonicClock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import { createGrouping, type RoomyGrouping } from '../../../platform/grouping.js'
import type { UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import { commitGroup } from './commit-group.js'
import type { MarkStore } from './mark-store.js'
import { type Recorded, settleReplays } from './settle-replays.js'
import { createShards } from './shards.js'
import type { WriteGroup } from './write-store.js'

export type UsageQueueDeps = {
  readonly insert: WriteGroup
  readonly findMarks: MarkStore['find']
  readonly ensurePartitions: (rows: readonly UsageRow[]) => Promise<unknown>
  /** Counts the rows of a group that was written. */
  readonly count: (rows: readonly UsageRow[]) => void
  readonly groupItemsMax: number
  readonly lanes: number
  readonly commitMsMax: number
  readonly outcomeMsMax: number
}

/** The queue that turns concurrent events into groups of rows. What is refused as an item's fault is halved. */
export function createUsageQueue(deps: UsageQueueDeps): RoomyGrouping<UsageRow, Recorded> {
  const { groupBytesMax, queueItemsMax, queueBytesMax, ownerShareMax, outcomePauseMs } = USAGE_LIMITS
  const { companyItemsMin, companyMsMax, lingerMsMax } = USAGE_LIMITS
  const committing = { ...deps, monotonicClock, pause, outcomePauseMs }
  const shards = createShards(deps.lanes)
  const commit = (rows: readonly UsageRow[]) =>
    shards.use((shard) => commitGroup({ ...committing, insert: (some) => deps.insert(some, shard) }, rows))
  return createGrouping<UsageRow, Recorded>({
    commit: async (rows) => {
      const answers = await settleReplays(deps.findMarks, rows, await commit(rows))
      deps.count(rows.filter((_, place) => answers[place]?.status === 'written'))
      return answers
    },
    isItemFault: (error) => !(error instanceof AppError) && classifyFailure(error) === 'data',
    groupItemsMax: deps.groupItemsMax,
    lanes: deps.lanes,
    companyItemsMin: Math.min(companyItemsMin, deps.groupItemsMax),
    companyMsMax,
    lingerMsMax,
    groupBytesMax,
    queueItemsMax,
    queueBytesMax,
    ownerShareMax,
  })
}
