import type { ProjectId } from '../../../access/principal.js'
import { USAGE_LIMITS } from '../limits.js'
import { type PeriodText, readOpenPeriod } from '../period.js'
import { acceptPeriod } from '../stats/accept-period.js'
import type { LogPosition } from '../store.js'
import { csvRows } from './csv-rows.js'
import type { Ahead } from './download-ahead.js'
import { type PageReads, readPages } from './download-pages.js'
import type { DownloadPage, FindDownloadEnd, ReadDownloadPage } from './download-store.js'
import { type LogCursors, logCursors } from './log-cursor.js'
import type { LogFilter } from './log-filter.js'
import { parquetFile } from './parquet-file.js'

export type DownloadDeps = {
  readonly read: ReadDownloadPage
  readonly findEnd: FindDownloadEnd
  readonly ahead: Ahead
}
export type DownloadInput = {
  readonly format: 'ndjson' | 'csv' | 'parquet'
  /** A cursor to go on behind. */
  readonly after: string | undefined
  readonly escapeFormulas: boolean
  readonly period: PeriodText
  readonly filter: LogFilter
}

/**
 * A project's events, oldest first, of any number in the memory of three pages. Each page is a statement of its own, so
 * nothing is held in the database between them. The first one is read before anything is sent. Throws
 * `validation-failed` for a time that does not exist and for a cursor of something else.
 */
export async function downloadLogs(
  { read, findEnd, ahead }: DownloadDeps,
  projectId: ProjectId,
  { format, after, escapeFormulas, period, filter }: DownloadInput,
): Promise<AsyncGenerator<string | Uint8Array>> {
  const within = acceptPeriod(readOpenPeriod(period))
  const cursors = logCursors({ order: 'oldest-first', projectId, period: within, filter })
  const start = after === undefined ? null : cursors.read(after)
  const isParsed = format !== 'ndjson'
  const bytesMax = isParsed ? USAGE_LIMITS.exportCsvPageBytesMax : USAGE_LIMITS.exportPageBytesMax
  const isFiltered = Object.values(filter).some((value) => value !== undefined)
  const reads: PageReads = {
    read: (behind, until, rowsMax) =>
      read(projectId, { period: within, filter, behind, until, rowsMax, bytesMax, withTexts: isParsed }),
    // Of rows that a filter leaves out it is not known how many there are.
    findEnd: async (behind, rows) => (isFiltered ? null : findEnd(projectId, { period: within, behind }, rows)),
  }
  const first = await reads.read(start, null, USAGE_LIMITS.exportFirstRows)
  const pages = readPages(first, reads, ahead, bytesMax)
  if (format === 'csv') return csvRows(pages, cursors, { escapeFormulas, withHeader: after === undefined })
  if (format === 'parquet') return parquetFile(pages, cursors, start)
  return ndjsonLines(pages, cursors, start)
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
