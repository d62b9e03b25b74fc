import { z } from 'zod'
import type { ProjectId } from '../../../access/principal.js'
import { readCursor, writeCursor } from '../../../http/list-page.js'
import { sha256HexOf } from '../../../platform/sha256.js'
import { USAGE_LIMITS } from '../limits.js'
import type { Period } from '../period.js'
import type { LogPosition } from '../store.js'
import { FILTER_NAMES, type LogFilter } from './log-filter.js'

export type CursorScope = {
  readonly order: 'newest-first' | 'oldest-first'
  readonly projectId: ProjectId
  readonly period: Period
  readonly filter: LogFilter
}

export type LogCursors = {
  readonly write: (position: LogPosition) => string
  /** Throws `validation-failed` for a text that is no cursor of these. */
  readonly read: (cursor: string) => LogPosition
}

/**
 * The cursors of one walk over a project's events. Each carries a digest of what the walk is: behind another project's
 * cursor, or one of other filters, rows would be skipped without a word. The end of the period is not part of it, so
 * that a copy which goes on later may reach further.
 */
export function logCursors({ order, projectId, period, filter }: CursorScope): LogCursors {
  const scope = JSON.stringify([order, projectId, period.fromMs, FILTER_NAMES.map((name) => filter[name] ?? null)])
  const digest = sha256HexOf(scope).slice(0, 16)
  const shape = z.tuple([
    z.literal(digest),
    z
      .int()
      .min(0)
      .max(USAGE_LIMITS.timeMsMax - 1),
    z.uuid(),
  ])
  return {
    write: ({ loggedAt, id }) => writeCursor([digest, Date.parse(loggedAt), id]),
    read: (cursor) => {
      const [, ms, id] = readCursor(shape, cursor)
      return { loggedAt: new Date(ms).toISOString(), id }
    },
  }
}
