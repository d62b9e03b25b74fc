import type { ProjectId } from '../../../access/principal.js'
import { type PeriodText, readOpenPeriod } from '../period.js'
import { acceptPeriod } from '../stats/accept-period.js'
import type { LogPosition } from '../store.js'
import { type LogCursors, logCursors } from './log-cursor.js'
import type { LogFilter } from './log-filter.js'
import type { LogPage, LogQuery, ReadLogPage } from './log-store.js'
import { renderListed } from './render-log.js'

export type LogsInput = {
  readonly limit: number
  readonly offset: number
  /** The cursor of the page before; then `offset` is 0. */
  readonly after: string | undefined
  /** An object with `logs` and `next_cursor`, not the array alone. */
  readonly isPaged: boolean
  readonly period: PeriodText
  readonly filter: LogFilter
}
type ReadFrom = (from: LogQuery['from'], rowsMax: number) => Promise<LogPage>

/**
 * A project's events, newest first, as JSON: whole if they fit into a page, otherwise in pieces, so that large rows
 * neither hold the event loop nor fill the memory. Later pages go on behind the row before: what is recorded meanwhile
 * shifts nothing. Throws `validation-failed` for a time that does not exist and for a cursor of something else.
 */
export async function listLogs(
  read: ReadLogPage,
  projectId: ProjectId,
  { period, filter, limit, offset, after, isPaged }: LogsInput,
): Promise<string | AsyncGenerator<string>> {
  const within = acceptPeriod(readOpenPeriod(period))
  const cursors = logCursors({ order: 'newest-first', projectId, period: within, filter })
  const readFrom: ReadFrom = (from, rowsMax) => read(projectId, { period: within, filter, from, rowsMax })
  const first = await readFrom(after === undefined ? { offset } : { behind: cursors.read(after) }, limit)
  const piece = pieceOf(first)
  const frame = isPaged ? pageFrame(cursors, limit) : ARRAY
  return first.isLast ? `${frame.open}${piece.text}${frame.close(piece)}` : pieces(piece, limit, readFrom, frame)
}

async function* pieces(first: Piece, limit: number, readFrom: ReadFrom, frame: Frame): AsyncGenerator<string> {
  yield `${frame.open}${first.text}`
  let { count, behind } = first
  let left = limit - count
  while (left > 0 && count > 0 && behind !== undefined) {
    // Twice what fitted: measuring all the rest for every page would read large rows again and again.
    const piece = pieceOf(await readFrom({ behind }, Math.min(left, 2 * count)))
    if (piece.count > 0) yield `,${piece.text}`
    count = piece.count
    behind = piece.behind ?? behind
    left -= count
  }
  yield frame.close({ count: limit - left, behind })
}

/** What a list keeps of a page while its reader takes it: not the rows, which need several times the memory. */
type Piece = { readonly text: string; readonly count: number; readonly behind: LogPosition | undefined }

function pieceOf({ rows }: LogPage): Piece {
  const last = rows.at(-1)
  const behind = last === undefined ? undefined : { loggedAt: last.loggedAt.toISOString(), id: last.id }
  return { text: rows.map(renderListed).join(','), count: rows.length, behind }
}

/** What stands around the events; `close` is told how many there were and which was the last. */
type Frame = { readonly open: string; readonly close: (end: Omit<Piece, 'text'>) => string }

const ARRAY: Frame = { open: '[', close: () => ']' }

function pageFrame(cursors: LogCursors, limit: number): Frame {
  return {
    open: '{"logs":[',
    close: ({ count, behind }) => {
      const next = count < limit || behind === undefined ? null : cursors.write(behind)
      return `],"next_cursor":${JSON.stringify(next)}}`
    },
  }
}
