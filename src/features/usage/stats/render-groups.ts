import { stringify } from 'csv-stringify/sync'
import { createSlices } from '../../../platform/slices.js'
import { MEASURES } from '../rollups/rolling-store.js'
import type { GroupName, GroupRow } from './groups-store.js'

export type Groups = {
  readonly rows: readonly GroupRow[]
  readonly by: readonly GroupName[]
  /** Of the parts of the period. */
  readonly labels: readonly string[]
}

/** Rows that are rendered as CSV in one step of the event loop. */
const STEP = 500

/** The groups as the bytes of a JSON array, in slices: names may be long and many. */
export async function groupsJson({ rows, by, labels }: Groups): Promise<Buffer> {
  const slices = createSlices()
  const parts = [Buffer.from('[')]
  for (const [at, row] of rows.entries()) {
    parts.push(Buffer.from(`${at === 0 ? '' : ','}${JSON.stringify(groupOf(row, by, labels))}`))
    if (slices.isDue()) await slices.pause()
  }
  return Buffer.concat([...parts, Buffer.from(']')])
}

/**
 * The same as CSV (RFC 4180), with a header line. Names came from clients, and a spreadsheet would run what looks like a
 * formula: it is escaped if so asked.
 */
export async function groupsCsv({ rows, by, labels }: Groups, escapeFormulas: boolean): Promise<Buffer> {
  const slices = createSlices()
  const options = {
    columns: ['date', ...by, ...MEASURES],
    record_delimiter: 'windows',
    escape_formulas: escapeFormulas,
  } as const
  const parts = [Buffer.from(stringify([], { ...options, header: true }))]
  for (let at = 0; at < rows.length; at += STEP) {
    const some = rows.slice(at, at + STEP).map((row) => ({ ...row, date: labels[Number(row.part)] }))
    parts.push(Buffer.from(stringify(some, options)))
    if (slices.isDue()) await slices.pause()
  }
  return Buffer.concat(parts)
}

function groupOf(row: GroupRow, by: readonly GroupName[], labels: readonly string[]) {
  return {
    date: labels[Number(row.part)],
    ...Object.fromEntries(by.map((name) => [name, row[name] === '' ? null : row[name]])),
    ...Object.fromEntries(MEASURES.map((name) => [name, name === 'cost' ? row[name] : Number(row[name])])),
  }
}
