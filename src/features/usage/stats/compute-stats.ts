import type { ProjectId } from '../../../access/principal.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import { USAGE_LIMITS } from '../limits.js'
import { type Period, type PeriodText, readPeriod } from '../period.js'
import { acceptPeriod } from './accept-period.js'
import { type Calendar, calendarOf, type GroupBy } from './calendar.js'
import type { CellsQuery } from './cells-store.js'
import type { GroupName } from './groups-store.js'
import { planReads } from './read-plan.js'
import { groupsCsv, groupsJson } from './render-groups.js'
import { renderStats } from './render-stats.js'
import type { StatsReader, StatsStore } from './stats-store.js'

export type StatsDeps = {
  readonly clock: Clock
  readonly store: StatsStore
  readonly showBudgets: ShowBudgets
}
/** What a project means to spend and has spent, as it goes over the wire. */
export type ShowBudgets = (projectId: ProjectId) => Promise<readonly object[]>
export type StatsInput = {
  readonly period: PeriodText
  readonly groupBy: GroupBy
  /** An IANA time zone, in which days begin. */
  readonly zone: string
  /** By what groups are told apart; undefined: no groups, unless the format is of groups alone. */
  readonly by: readonly GroupName[] | undefined
  readonly format: 'json' | 'csv' | 'rows'
  readonly escapeFormulas: boolean
  /** Whether the sums say how long requests took. */
  readonly withLatencies: boolean
  /** Whether the project's budgets stand beside the sums. */
  readonly withBudgets: boolean
}

/**
 * The sums of a period, from one snapshot, as the bytes of `UsageStats`, or its groups alone as JSON or CSV. Throws
 * `validation-failed` for a period that does not exist, and for one of too many parts.
 */
export async function computeStats(
  deps: StatsDeps,
  projectId: ProjectId,
  input: StatsInput,
): Promise<Uint8Array<ArrayBuffer>> {
  const { format, escapeFormulas, by = [] } = input
  const withGroups = format !== 'json' || input.by !== undefined
  const { labels, sums, rows, latencies } = await deps.store.inSnapshot(async (reader) => {
    const { query, labels } = await prepareStats(deps.clock(), reader, projectId, input)
    const tuplesMax = Math.max(1, Math.floor(USAGE_LIMITS.statsGroupsMax / Math.max(1, labels.length)))
    const sums = format === 'json' ? await reader.tally(query) : []
    const latencies = input.withLatencies && format === 'json' ? await reader.latencies(query) : undefined
    return { labels, sums, latencies, rows: withGroups ? await reader.groups(query, by, tuplesMax) : [] }
  })
  const groups = { rows, by, labels }
  if (format === 'csv') return Buffer.from(await groupsCsv(groups, escapeFormulas))
  if (format === 'rows') return Buffer.from(await groupsJson(groups))
  const budgets = input.withBudgets ? await deps.showBudgets(projectId) : undefined
  return renderStats(sums, { labels, latencies, budgets, groups: withGroups ? await groupsJson(groups) : undefined })
}

type Prepared = { readonly query: CellsQuery; readonly labels: readonly string[] }

async function prepareStats(
  nowMs: number,
  { extent }: StatsReader,
  projectId: ProjectId,
  { period, groupBy, zone }: StatsInput,
): Promise<Prepared> {
  const asked = acceptPeriod(readPeriod(period, nowMs, zone))
  const within = cutTo(asked, await extent(projectId), nowMs)
  const { boundsMs, labels } = partsOf(within, groupBy, zone)
  const total = groupBy === 'total' ? calendarOf({ ...asked, untilMs: asked.fromMs + 1 }, 'total', zone, 1) : undefined
  return { query: { projectId, boundsMs, plan: planReads(boundsMs) }, labels: total?.labels ?? labels }
}

const DAY_MS = 86_400_000

/**
 * Only where events are, so that a period without an end has no endless days. What is recorded after the extent was
 * read cannot be outside: an event is neither from the future nor older than `pastDaysMax`.
 */
function cutTo(asked: Period, extent: Period | null, nowMs: number): Period {
  const first = nowMs - (USAGE_LIMITS.pastDaysMax + 1) * DAY_MS
  const last = nowMs + USAGE_LIMITS.futureMsMax + DAY_MS
  const dayOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS
  const fromMs = Math.max(asked.fromMs, dayOf(Math.min(first, extent?.fromMs ?? first)))
  const untilMs = Math.min(asked.untilMs, dayOf(Math.max(last, extent?.untilMs ?? last)) + DAY_MS)
  return { fromMs, untilMs: Math.max(fromMs, untilMs) }
}

function partsOf(period: Period, groupBy: GroupBy, zone: string): Calendar {
  const { statsPartsMax } = USAGE_LIMITS
  const calendar = calendarOf(period, groupBy, zone, statsPartsMax)
  if (calendar !== undefined) return calendar
  const [pointer, message] = ['query/group_by', `must give at most ${statsPartsMax} of them in the period`]
  throw new AppError('validation-failed', `${pointer}: ${message}`, { errors: [{ pointer, message }] })
}
