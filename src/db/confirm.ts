/** How a statement was answered: PostgreSQL's name for what it did (the command tag), and the rows that it counted. */
type Completed = { readonly command: string | null; readonly count: number | null }

/**
 * A write whose answer does not say what it should. Whether it happened is not known: it is treated like a lost one.
 */
class UnconfirmedWrite extends Error {
  override readonly name = 'UnconfirmedWrite'
  readonly code = 'WRITE_UNCONFIRMED'
}

/**
 * The answer, if the server itself says that it ran this command (on so many rows, if `rows` is given). An answer
 * without that comes from a lost connection, or from a table whose triggers do something else. Throws
 * `UnconfirmedWrite`.
 */
export function confirmCompleted<Answer extends Completed>(
  answer: Answer,
  command: 'INSERT' | 'UPDATE' | 'DELETE' | 'SELECT',
  rows?: number,
): Answer & { readonly count: number } {
  const { count } = answer
  if (answer.command !== command || count === null || (rows !== undefined && count !== rows)) {
    const expected = rows === undefined ? command : `${command} ${rows}`
    throw new UnconfirmedWrite(`The answer to a statement is '${answer.command} ${count}' instead of '${expected}'.`)
  }
  return answer as Answer & { readonly count: number }
}

/** The rows that a write gave back, if they are as many as it was sent. Throws `UnconfirmedWrite`. */
function confirmRows<Rows extends { readonly length: number }>(rows: Rows, sent: number): Rows {
  if (rows.length === sent) return rows
  throw new UnconfirmedWrite(`A write of ${sent} rows gave ${rows.length} back.`)
}

/** The one row that a write gave back. Throws `UnconfirmedWrite`. */
export function confirmRow<Row>(rows: readonly Row[]): Row {
  return confirmRows(rows, 1)[0] as Row
}
