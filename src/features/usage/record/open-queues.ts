import type { ProjectId } from '../../../access/principal.js'
import type { Clock } from '../../../platform/clock.js'
import type { Room } from '../../../platform/grouping.js'
import type { Metrics } from '../../../platform/metrics.js'
import { rowBytes } from '../columns.js'
import type { UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import type { UsageStore } from '../store.js'
import { createUsageCounters } from './count-usage.js'
import type { Recorded } from './settle-replays.js'
import { createUsageQueue } from './usage-queue.js'

export type QueuesDeps = {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly store: Pick<UsageStore, 'insert' | 'marks' | 'ensurePartitions' | 'ensurePartitionOf'>
  readonly config: { readonly groupItemsMax: number; readonly lanes: number }
  readonly patience: { readonly commitMsMax: number; readonly outcomeMsMax: number }
}

type Submit = (row: UsageRow) => Promise<Recorded>
export type KeepBatchRoom = (rows: readonly UsageRow[]) => {
  /** Each of the rows once, in their order. */
  readonly submit: Submit
  /** Gives back what was kept for rows that were not submitted. */
  release(): void
}
export type Queues = {
  readonly submitSingle: Submit
  /** Room for a single row that will come. Throws `overloaded` if there is none. */
  readonly keepSingleRoom: (projectId: ProjectId, bytes: number) => Room<UsageRow, Recorded>
  /** Room for these rows, which are of one project. Throws `overloaded` if there is none for all of them. */
  readonly keepBatchRoom: KeepBatchRoom
  drain(): Promise<unknown>
}

/** One writer, with lanes of their own for single events and for batches: these must not make the others wait. */
export function openQueues({ clock, metrics, store, config, patience }: QueuesDeps): Queues {
  const common = {
    ...{ ...patience, insert: store.insert, findMarks: store.marks.find, count: createUsageCounters(metrics) },
    ensurePartitions: async (rows: readonly UsageRow[]) => {
      await store.ensurePartitions(clock())
      for (const month of new Set(rows.map(({ loggedAt }) => loggedAt.slice(0, 7)))) {
        await store.ensurePartitionOf(Date.parse(`${month}-01T00:00:00Z`))
      }
    },
  }
  const { batchGroupItemsMax, batchLanes } = USAGE_LIMITS
  const singles = createUsageQueue({ ...common, ...config })
  const batches = createUsageQueue({ ...common, groupItemsMax: batchGroupItemsMax, lanes: batchLanes })
  const depth = () => singles.depth() + batches.depth()
  metrics.gauge('llmring_usage_queue_depth', 'Usage rows that wait for a group.', depth)
  return {
    submitSingle: (row) => singles.submit(row, row.projectId, rowBytes(row)),
    keepSingleRoom: (projectId, bytes) => singles.keepRoom(projectId, bytes),
    keepBatchRoom: (rows) => {
      const sizes = rows.map(rowBytes)
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      const { submit, release } = batches.keepRoom(rows[0]?.projectId ?? '', bytes, rows.length)
      let next = 0
      return { submit: (row) => submit(row, sizes[next++] ?? rowBytes(row)), release }
    },
    drain: () => Promise.all([singles.drain(), batches.drain()]),
  }
}
