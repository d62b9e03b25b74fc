import type { ProjectId } from '../../../access/principal.js'
import type { Clock } from '../../../platform/clock.js'
import { AppError } from '../../../platform/errors.js'
import { BATCH_LIMITS } from '../limits.js'
import { invalid } from '../refusal.js'
import type { BatchStore, Coverage, Settled } from './batch-store.js'
import { isWaiting, type LoggedUsage, type Period, type UsageLogs } from './logged-usage.js'

/** Which calls are to be certified. */
export type Selection =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'period'; readonly period: Period }
  /** Those that no batch certifies. */
  | { readonly kind: 'since-last' }

export type SelectDeps = {
  readonly clock: Clock
  readonly usage: UsageLogs
  readonly store: Pick<BatchStore, 'certified'>
}

/** Some of the calls, and what is settled once these and those before them are certified; null: nothing is said. */
export type SelectedPage = { readonly rows: readonly LoggedUsage[]; readonly settled: Settled | null }

const { pageRowsMax, membersMax } = BATCH_LIMITS

/**
 * The calls of a selection, oldest first, in pages. Calls whose price is still to come are left out, because what is
 * certified never changes; if they are named by their ids, that is refused. Of what was never certified the oldest
 * `membersMax` are given; a period that holds more throws `validation-failed`, as an id does that is no call of the
 * project.
 */
export async function* selectUsage(
  deps: SelectDeps,
  projectId: ProjectId,
  selection: Selection,
  coverage: Coverage,
): AsyncGenerator<SelectedPage> {
  if (selection.kind === 'ids') yield* selectIds(deps, projectId, selection.ids)
  else if (selection.kind === 'period') yield* selectPeriod(deps, projectId, selection.period)
  else yield* selectUncertified(deps, projectId, coverage)
}

async function* selectIds({ usage }: SelectDeps, projectId: ProjectId, ids: readonly string[]) {
  const indexOf = new Map(ids.map((id, at) => [id.toLowerCase(), at]))
  const sorted = [...indexOf.keys()].sort()
  for (let at = 0; at < sorted.length; at += pageRowsMax) {
    const wanted = sorted.slice(at, at + pageRowsMax)
    const found = new Map((await usage.find(projectId, wanted)).map((row) => [row.id, row]))
    const rows = wanted.map((id) => {
      const row = found.get(id)
      const pointer = `/log_ids/${indexOf.get(id)}`
      if (row === undefined) throw invalid(pointer, 'is no logged call of this project')
      if (isWaiting(row)) throw invalid(pointer, 'has no price yet: it can be certified once a registry was loaded')
      return row
    })
    yield { rows, settled: null }
  }
}

async function* selectPeriod({ usage }: SelectDeps, projectId: ProjectId, period: Period) {
  let count = 0
  for await (const page of pagesOf(usage, projectId, { period })) {
    const rows = page.filter((row) => !isWaiting(row))
    count += rows.length
    if (count > membersMax) {
      throw new AppError('validation-failed', `The period holds more than ${membersMax} calls: choose a shorter one.`)
    }
    if (rows.length > 0) yield { rows, settled: null }
  }
}

async function* selectUncertified(deps: SelectDeps, projectId: ProjectId, coverage: Coverage) {
  const settledAt = settledBy(deps)
  let [count, waitingMs] = [0, Number.POSITIVE_INFINITY]
  for await (const page of pagesOf(deps.usage, projectId, unsettled(coverage))) {
    const certified = await deps.store.certified(
      projectId,
      page.map(({ id }) => id),
    )
    const rows = page.filter((row) => !isWaiting(row) && !certified.has(row.id))
    const waiting = page.find(isWaiting)
    if (waiting !== undefined) waitingMs = Math.min(waitingMs, waiting.loggedAt.getTime())
    // The next row may be of the same millisecond as the last one here.
    const lastMs = page.at(-1)?.loggedAt.getTime() ?? 0
    count += rows.length
    yield { rows, settled: settledAt(Math.min(waitingMs, lastMs)) }
    if (count > membersMax - pageRowsMax) return
  }
  yield { rows: [], settled: settledAt(waitingMs) }
}

/**
 * What is settled, at the moment at which this is called, once all calls with a time before one in milliseconds are
 * certified: what may still come is left open, and so is what came so lately that others may come before it.
 */
function settledBy({ clock, usage }: SelectDeps): (untilMs: number) => Settled {
  const nowMs = clock()
  return (untilMs) => ({
    settledUntil: new Date(Math.min(untilMs, nowMs - usage.lateMsMax - BATCH_LIMITS.settledAfterMs)),
    arrivedUntil: new Date(Math.min(untilMs - usage.leadMsMax, nowMs - BATCH_LIMITS.arrivedAfterMs)),
  })
}

/** Where to look for calls that no batch certifies. */
export const unsettled = ({ settledUntil, arrivedUntil }: Coverage): PagesQuery => ({
  period: { fromMs: settledUntil?.getTime() ?? 0, untilMs: BATCH_LIMITS.timeMsMax },
  arrivedFromMs: arrivedUntil?.getTime() ?? null,
})

type PagesQuery = { readonly period: Period; readonly newestFirst?: boolean; readonly arrivedFromMs?: number | null }

/** A project's calls, a page after another, in the order of their times. */
export async function* pagesOf(
  usage: UsageLogs,
  projectId: ProjectId,
  { period, newestFirst = false, arrivedFromMs = null }: PagesQuery,
): AsyncGenerator<readonly LoggedUsage[]> {
  let after: { readonly loggedAt: string; readonly id: string } | null = null
  while (true) {
    const page: readonly LoggedUsage[] = await usage.page(projectId, {
      ...{ period, newestFirst, arrivedFromMs, after },
      rowsMax: pageRowsMax,
    })
    if (page.length > 0) yield page
    const last = page.at(-1)
    if (last === undefined || page.length < pageRowsMax) return
    after = { loggedAt: last.loggedAt.toISOString(), id: last.id }
  }
}
