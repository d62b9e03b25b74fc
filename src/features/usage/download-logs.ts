import type { ProjectId } from '../../access/principal.js'
import { acceptPeriod } from './accept-period.js'
import { csvRows } from './csv-rows.js'
import type { Ahead } from './download-ahead.js'
import type { DownloadPage, ReadDownloadPage } from './download-store.js'
import { USAGE_LIMITS } from './limits.js'
import { type LogCursors, logCursors } from './log-cursor.js'
import type { LogFilter } from './log-filter.js'
import { type PeriodText, readOpenPeriod } from './period.js'
import type { LogPosition } from './store.js'

export type DownloadDeps = { readonly read: ReadDownloadPage; readonly ahead: Ahead }
export type DownloadInput = {
  readonly format: 'ndjson' | 'csv'
  /** A cursor to go on behind. */
  readonly after: string | undefined
  readonly escapeFormulas: boolean
  readonly period: PeriodText
  readonly filter: LogFilter
}
type ReadNext = (behind: LogPosition | null, rowsMax: number) => Promise<DownloadPage>

/**
 * A project's events, oldest first, of any number in the memory of two pages. Each page is a statement of its own, so
 * nothing is held in the database between them. The first one is read before anything is sent. Throws
 * `validation-failed` for a time that does not exist and for a cursor of something else.
 */
export async function downloadLogs(
  { read, ahead }: DownloadDeps,
  projectId: ProjectId,
  { format, after, escapeFormulas, period, filter }: DownloadInput,
): Promise<AsyncGenerator<string | Uint8Array>> {
  const within = acceptPeriod(readOpenPeriod(period))
  const cursors = logCursors({ order: 'oldest-first', projectId, period: within, filter })
  const start = after === undefined ? null : cursors.read(after)
  const bytesMax = format === 'csv' ? USAGE_LIMITS.exportCsvPageBytesMax : USAGE_LIMITS.exportPageBytesMax
  const readNext: ReadNext = (behind, rowsMax) =>
    read(projectId, { period: within, filter, behind, rowsMax, bytesMax, withTexts: format === 'csv' })
  const first = await readNext(start, USAGE_LIMITS.exportFirstRows)
  const pages = readPages(first, readNext, ahead, bytesMax)
  if (format === 'csv') return csvRows(pages, cursors, { escapeFormulas, withHeader: after === undefined })
  return ndjsonLines(pages, cursors, start)
}

/**
 * The pages, each read while the one before it is on its way, if there is room for that. A page without rows is left
 * out: it is a long stretch in which no row matches.
 */
async function* readPages(
  first: DownloadPage,
  readNext: ReadNext,
  ahead: Ahead,
  bytesMax: number,
): AsyncGenerator<DownloadPage> {
  const place = ahead.enter()
  try {
    let page = first
    let rowsMax: number = USAGE_LIMITS.exportFirstRows
    for (;;) {
      const { behind, isLast, count } = page
      if (count > 0) rowsMax = rowsThatFit(page, bytesMax)
      const read = () => readNext(behind, rowsMax)
      const following = isLast ? undefined : place.begin(read)
      if (count > 0 || isLast) yield page
      if (isLast) return
      page = await (following === undefined ? read() : place.take(following))
    }
  } finally {
    place.leave()
  }
}

/** About as many rows like these as a page holds: what is rendered and then does not fit is work for nothing. */
function rowsThatFit({ lines, count }: DownloadPage, bytesMax: number): number {
  const fitting = Math.floor((0.9 * bytesMax * count) / Math.max(lines.length, 1))
  return Math.max(1, Math.min(fitting, USAGE_LIMITS.exportRowsMax))
}

async function* ndjsonLines(
  pages: AsyncGenerator<DownloadPage>,
  cursors: LogCursors,
  start: LogPosition | null,
): AsyncGenerator<string | Uint8Array> {
  let rows = 0
  let reached = start
  for await (const { lines, count, behind } of pages) {
    rows += count
    reached = behind ?? reached
    if (count > 0 && behind !== null) {
      // Not put together: a copy of each page was a sixth of what a download costs here.
      yield lines.subarray(0, -1)
      yield `,"cursor":"${cursors.write(behind)}"}\n`
    }
  }
  yield `${JSON.stringify({ type: 'end', rows, next_cursor: reached === null ? null : cursors.write(reached) })}\n`
}
