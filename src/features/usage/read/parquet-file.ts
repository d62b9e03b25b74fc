import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { USAGE_LIMITS } from '../limits.js'
import type { LogPosition } from '../store.js'
import type { DownloadPage } from './download-store.js'
import type { LogCursors } from './log-cursor.js'
import { LOG_MEMBERS } from './log-members.js'

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number]
type Member = (typeof LOG_MEMBERS)[number] | 'cursor'
type Cell = string | number | boolean | bigint | Date | null
type Column = { readonly element: SchemaElement; readonly cellOf: (value: string | number | boolean) => Cell }

const optional = (type: NonNullable<SchemaElement['type']>, more: Partial<SchemaElement> = {}) => ({
  ...{ type, repetition_type: 'OPTIONAL' as const },
  ...more,
})
const column = (element: Omit<SchemaElement, 'name'>, cellOf: Column['cellOf'] = (value) => value) => ({
  ...{ element, cellOf },
})
/** Amounts stay the text that they are elsewhere: a reader's decimals are not everywhere as wide as theirs. */
const TEXT = column(optional('BYTE_ARRAY', { converted_type: 'UTF8' }))
const COUNT = column(optional('INT64'), (value) => BigInt(value))
const NUMBER = column(optional('DOUBLE'))
const TIME = column(
  optional('INT64', {
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  }),
  (value) => new Date(String(value)),
)
const OTHERS: Partial<Record<Member, typeof TEXT>> = {
  logged_at: TIME,
  input_tokens_include_cache: column(optional('BOOLEAN')),
  latency_ms: NUMBER,
  cost: NUMBER,
}
const COLUMNS = ([...LOG_MEMBERS, 'cursor'] as const).map((name) => ({
  ...{ name, ...(OTHERS[name] ?? (name.endsWith('_tokens') ? COUNT : TEXT)) },
}))
const SCHEMA: SchemaElement[] = [
  { name: 'usage', num_children: COLUMNS.length },
  ...COLUMNS.map(({ name, element }) => ({ name, ...element })),
]

/**
 * The pages as one Parquet file, a group of rows at a time: of what was sent only the places of its columns are kept, for the
 * end of the file, about 20 kB a group. The last row of a page has a cursor, and the end has that of the last row of all
 * as `next_cursor`, to go on with in another file.
 */
export async function* parquetFile(
  pages: AsyncGenerator<DownloadPage>,
  cursors: LogCursors,
  start: LogPosition | null,
): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter()
  const file = new ParquetWriter({ writer: bytes, schema: SCHEMA, statistics: false, createdBy: 'llmring-server' })
  let cells = noCells()
  let held = 0
  let reached = start
  for await (const page of pages) {
    reached = page.behind ?? reached
    if (page.count === 0) continue
    addPage(cells, page, cursors)
    held += page.lines.length
    if (held < USAGE_LIMITS.parquetGroupBytesMax) continue
    writeGroup(file, cells)
    cells = noCells()
    held = 0
    yield taken(bytes)
  }
  if (held > 0) writeGroup(file, cells)
  file.kvMetadata = reached === null ? [] : [{ key: 'next_cursor', value: cursors.write(reached) }]
  file.finish()
  yield taken(bytes)
}

const noCells = (): Cell[][] => COLUMNS.map(() => [])

function addPage(cells: readonly Cell[][], { lines, count, behind }: DownloadPage, cursors: LogCursors): void {
  const rows: Partial<Record<Member, string | number | boolean | null>>[] = JSON.parse(
    `[${lines.toString().replaceAll('\n', ',')}]`,
  )
  const last = rows[count - 1]
  if (last !== undefined && behind !== null) last.cursor = cursors.write(behind)
  for (const [at, { name, cellOf }] of COLUMNS.entries()) {
    for (const row of rows) {
      const value = row[name] ?? null
      cells[at]?.push(value === null ? null : cellOf(value))
    }
  }
}

function writeGroup(file: ParquetWriter, cells: readonly Cell[][]): void {
  const columnData = COLUMNS.map(({ name }, at) => ({ name, data: cells[at] ?? [], offsetIndex: false }))
  file.write({ columnData, rowGroupSize: Number.MAX_SAFE_INTEGER })
}

/** What was written since the last time. Places in the file are counted on. */
function taken(bytes: ByteWriter): Uint8Array {
  const chunk = bytes.getBytes().slice()
  bytes.index = 0
  return chunk
}
