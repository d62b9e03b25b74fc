import { type ProjectId, READS } from '../../../access/principal.js'
import { type App, type Guards, mount } from '../../../http/endpoint.js'
import { JSON_HEADERS, NDJSON_TYPE, plainBytes } from '../../../http/response.js'
import type { DownloadInput } from './download-logs.js'
import type { LogsInput } from './list-logs.js'
import * as schema from './log-schema.js'

export type ReadingVerbs = {
  readonly list: (projectId: ProjectId, input: LogsInput) => Promise<string | AsyncGenerator<string>>
  readonly download: (projectId: ProjectId, input: DownloadInput) => Promise<AsyncGenerator<string | Uint8Array>>
}

const tag = 'Usage'
const CSV_TYPE = 'text/csv'
const PARQUET_TYPE = 'application/vnd.apache.parquet'
const TYPES = { ndjson: NDJSON_TYPE, csv: `${CSV_TYPE}; charset=utf-8`, parquet: PARQUET_TYPE } as const
const EXPORT =
  `Of any size, in pages of a statement each, oldest first. NDJSON: a \`UsageLog\` a line; the last row of each
page has a \`cursor\` beside its members, and the last line is \`{"type":"end","rows":…,"next_cursor":…}\`: a download
without it was cut. CSV: the same members as columns, objects as JSON text, and a column \`cursor\`. After a cut, drop what
stands behind the last cursor and go on with \`after\`; a CSV that goes on has no header line. Parquet: the same columns, times
in UTC, amounts and objects as text; a file that was cut has no end and cannot be read, one that is whole names a \`next_cursor\`
among its metadata. What is recorded later
with a time before a cursor is not behind it.`.replaceAll('\n', ' ')

export function mountReading(app: App, guards: Guards, verbs: ReadingVerbs): void {
  mountList(app, guards, verbs)
  mountExport(app, guards, verbs)
}

function mountList(app: App, guards: Guards, verbs: ReadingVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/api/v1/logs',
    tag,
    operationId: 'listUsageLogs',
    summary: 'List what was recorded, newest first',
    access: READS,
    turns: 'read',
    query: schema.LogsQuery,
    responses: { 200: { description: 'One page.', schema: schema.LogList } },
    handle: async ({ principal, query }) => {
      const { limit, offset, after, paged, start_date: start, end_date: end, ...filter } = query
      const isPaged = paged === 'true' || after !== undefined
      const input = { limit, offset, after, isPaged, period: { start, end }, filter }
      const list = await verbs.list(principal.projectId, input)
      return typeof list === 'string' ? plainBytes(list) : { chunks: list, headers: JSON_HEADERS }
    },
  })
}

function mountExport(app: App, guards: Guards, verbs: ReadingVerbs): void {
  mount(app, guards, {
    method: 'get',
    path: '/api/v1/export',
    tag,
    operationId: 'exportUsageLogs',
    summary: 'Everything that was recorded, as NDJSON, CSV or Parquet',
    description: EXPORT,
    access: READS,
    turns: 'read',
    query: schema.ExportQuery,
    responses: { 200: { description: 'The rows.', contentType: [NDJSON_TYPE, CSV_TYPE, PARQUET_TYPE] } },
    handle: async ({ principal, query }) => {
      const { format, after, formulas, start_date: start, end_date: end, ...filter } = query
      const input = { format, after, escapeFormulas: formulas === 'escape', period: { start, end }, filter }
      const headers = {
        'Content-Type': TYPES[format],
        'Content-Disposition': `attachment; filename="usage.${format}"`,
      }
      return { chunks: await verbs.download(principal.projectId, input), headers }
    },
  })
}
