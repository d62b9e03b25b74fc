import type { ProjectId } from '../../access/principal.js'
import { acceptPeriod } from './accept-period.js'
import type { ListedUsage, LogPage, LogQuery, ReadLogPage } from './log-store.js'
import { type PeriodText, readOpenPeriod } from './period.js'
import { renderListed } from './render-log.js'
import type { LogFilter } from './store.js'

export type LogsInput = {
  readonly limit: number
  readonly offset: number
  readonly period: PeriodText
  readonly filter: LogFilter
}
type ReadFrom = (from: LogQuery['from'], rowsMax: number) => Promise<LogPage>

/**
 * A project's events, newest first, as one JSON array: whole if they fit into a page, otherwise in pieces, so that
 * large rows neither hold the event loop nor fill the memory. Later pages go on behind the row before: what is recorded
 * meanwhile shifts nothing. Throws `validation-failed` for a time that does not exist.
 */
export async function listLogs(
  read: ReadLogPage,
  projectId: ProjectId,
  { period, filter, limit, offset }: LogsInput,
): Promise<string | AsyncGenerator<string>> {
  const within = acceptPeriod(readOpenPeriod(period))
  const readFrom: ReadFrom = (from, rowsMax) => read(projectId, { period: within, filter, from, rowsMax })
  const first = await readFrom({ offset }, limit)
  return first.isLast ? `[${textOf(first)}]` : pieces(first, limit, readFrom)
}

async function* pieces(first: LogPage, limit: number, readFrom: ReadFrom): AsyncGenerator<string> {
  yield `[${textOf(first)}`
  let page = first
  let left = limit - first.rows.length
  let last = first.rows.at(-1)
  while (left > 0 && last !== undefined) {
    // Twice what fitted: measuring all the rest for every page would read large rows again and again.
    const rowsMax = Math.min(left, 2 * page.rows.length)
    page = await readFrom({ behind: positionOf(last) }, rowsMax)
    if (page.rows.length > 0) yield `,${textOf(page)}`
    left -= page.rows.length
    last = page.rows.at(-1)
  }
  yield ']'
}

const positionOf = ({ loggedAt, id }: ListedUsage) => ({ loggedAt: loggedAt.toISOString(), id })
const textOf = (page: LogPage): string => page.rows.map(renderListed).join(',')
