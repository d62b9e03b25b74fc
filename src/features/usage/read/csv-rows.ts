import { type Options, stringify } from 'csv-stringify/sync'
import type { DownloadPage } from './download-store.js'
import type { LogCursors } from './log-cursor.js'
import { LOG_MEMBERS } from './log-members.js'

export type CsvOptions = { readonly escapeFormulas: boolean; readonly withHeader: boolean }

const CURSOR = 'cursor'

/**
 * The pages as CSV (RFC 4180). What a cell holds came from clients, and a spreadsheet would run it: see the OWASP's
 * "CSV injection". The last row of a page has a cursor.
 */
export async function* csvRows(
  pages: AsyncGenerator<DownloadPage>,
  cursors: LogCursors,
  { escapeFormulas, withHeader }: CsvOptions,
): AsyncGenerator<string> {
  const options: Options = {
    columns: [...LOG_MEMBERS, CURSOR],
    record_delimiter: 'windows',
    escape_formulas: escapeFormulas,
    cast: { boolean: String },
  }
  if (withHeader) yield stringify([], { ...options, header: true })
  // Rendered in a function of its own: what a reader has not taken yet keeps the text alive, not the rows.
  for await (const page of pages) if (page.count > 0) yield textOf(page, cursors, options)
}

function textOf({ lines, count, behind }: DownloadPage, cursors: LogCursors, options: Options): string {
  const rows: Record<string, unknown>[] = JSON.parse(`[${lines.toString().replaceAll('\n', ',')}]`)
  const cursor = behind === null ? undefined : cursors.write(behind)
  return stringify(
    rows.map((row, index) => (index === count - 1 ? { ...row, [CURSOR]: cursor } : row)),
    options,
  )
}
