import type { ProjectId } from '../../access/principal.js'
import { acceptPeriod } from './accept-period.js'
import type { LogPage, LogQuery, ReadLogPage } from './log-store.js'
import { type PeriodText, readOpenPeriod } from './period.js'
import { renderListed } from './render-log.js'
import type { LogFilter, LogPosition } from './store.js'

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
  const piece = pieceOf(first)
  return first.isLast ? `[${piece.text}]` : pieces(piece, limit, readFrom)
}

async function* pieces(first: Piece, limit: number, readFrom: ReadFrom): AsyncGenerator<string> {
  yield `[${first.text}`
  let { count, behind } = first
  let left = limit - count
  while (left > 0 && behind !== undefined) {
    // Twice what fitted: measuring all the rest for every page would read large rows again and again.
    const piece = pieceOf(await readFrom({ behind }, Math.min(left, 2 * count)))
    if (piece.count > 0) yield `,${piece.text}`
    ;({ count, behind } = piece)
    left -= count
  }
  yield ']'
}

/** What a list keeps of a page while its reader takes it: not the rows, which need several times the memory. */
type Piece = { readonly text: string; readonly count: number; readonly behind: LogPosition | undefined }

function pieceOf({ rows }: LogPage): Piece {
  const last = rows.at(-1)
  const behind = last === undefined ? undefined : { loggedAt: last.loggedAt.toISOString(), id: last.id }
  return { text: rows.map(renderListed).join(','), count: rows.length, behind }
}
