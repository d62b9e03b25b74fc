import type { ProjectId } from '../../access/principal.js'
import { acceptPeriod } from './accept-period.js'
import { type PeriodText, readOpenPeriod } from './period.js'
import { renderLog } from './render-log.js'
import type { UsageLog } from './schema.js'
import type { LogFilter, LogPage, UsageStore } from './store.js'

export type LogsInput = LogPage & { readonly period: PeriodText; readonly filter: LogFilter }

/** A project's events, newest first. Throws `validation-failed` for a time that does not exist. */
export async function listLogs(
  list: UsageStore['list'],
  projectId: ProjectId,
  { period, filter, limit, offset }: LogsInput,
): Promise<UsageLog[]> {
  const rows = await list(projectId, acceptPeriod(readOpenPeriod(period)), filter, { limit, offset })
  return rows.map(renderLog)
}
