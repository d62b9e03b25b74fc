/** How far a dump or a restore is: rows and bytes of COPY text of one table. */
export type Progress = {
  readonly table: string
  readonly rows: number
  readonly bytes: number
  /** The table is complete. */
  readonly done: boolean
}

/** What a dump holds: the rows of each table, and the size of the file in bytes. */
export type Summary = { readonly tables: Readonly<Record<string, number>>; readonly bytes: number }

const NEWLINE = 0x0a

/** COPY's text format escapes newlines in values, so each one ends a row. */
export function countRows(text: Buffer): number {
  let rows = 0
  for (let at = text.indexOf(NEWLINE); at !== -1; at = text.indexOf(NEWLINE, at + 1)) rows += 1
  return rows
}
