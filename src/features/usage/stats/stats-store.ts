import type { ProjectId } from '../../../access/principal.js'
import type { Sql, Statements } from '../../../db/client.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import { type LatencyRow, readLatencies } from '../rollups/latency-store.js'
import type { CellsQuery } from './cells-store.js'
import { type GroupName, type GroupRow, readGroups } from './groups-store.js'
import type { StatsRow } from './stats-row.js'
import { readTally } from './tally-store.js'

export type StatsStore = ReturnType<typeof createStatsStore>

/** What reads one snapshot. */
export type StatsReader = {
  readonly extent: (projectId: ProjectId) => Promise<Period | null>
  readonly tally: (query: CellsQuery) => Promise<StatsRow[]>
  readonly latencies: (query: CellsQuery) => Promise<LatencyRow[]>
  readonly groups: (query: CellsQuery, by: readonly GroupName[], tuplesMax: number) => Promise<GroupRow[]>
  /** The same with only `requests` and `cost`. */
  readonly costs: (query: CellsQuery, by: readonly GroupName[], tuplesMax: number) => Promise<GroupRow[]>
}

export function createStatsStore(sql: Sql) {
  return {
    /**
     * Sorts of 10,000 long names need no disk, and no plan is compiled: that takes longer than most of these. The
     * planner cannot know how many combinations there are: a loop over 84,000 times 10,000 took over 10 s. Sorted groups need one
     * group's sums at a time: 6,000 hashed ones, each of seven decimals, took 5 times as long.
     */
    inSnapshot: async <T>(read: (reader: StatsReader) => Promise<T>): Promise<T> => {
      const done = await sql.begin('isolation level repeatable read read only', async (tx) => {
        await tx`select set_config('work_mem', ${`${USAGE_LIMITS.statsWorkKilobytesMax}kB`}, true),
          set_config('jit', 'off', true), set_config('enable_nestloop', 'off', true), set_config('enable_hashagg', 'off', true)`
        return read({
          extent: (projectId) => readExtent(tx, projectId),
          tally: (query) => readTally(tx, query),
          latencies: ({ projectId, boundsMs }) => readLatencies(tx, projectId, boundsMs),
          groups: (query, by, tuplesMax) => readGroups(tx, query, by, tuplesMax),
          costs: (query, by, tuplesMax) => readGroups(tx, query, by, tuplesMax, ['requests', 'cost']),
        })
      })
      return done as T
    },
  }
}

/** From the first quarter of an hour with events to the end of the last one, or null if there are none. */
async function readExtent(sql: Statements, projectId: ProjectId): Promise<Period | null> {
  const [row] = await sql<{ first: Date | null; last: Date | null }[]>`
    select min(bucket) as first, max(bucket) as last from usage_rollups
    where project_id = ${projectId} and grain = 'quarter'`
  if (row?.first == null || row.last == null) return null
  return { fromMs: row.first.getTime(), untilMs: row.last.getTime() + 900_000 }
}
