import type { ProjectId } from '../../access/principal.js'
import { invariant } from '../../platform/invariant.js'
import { renderLog } from './render-log.js'
import type { UsageLog } from './schema.js'
import type { UsageStore } from './store.js'

export type UsagePage = { readonly rows: readonly UsageLog[]; readonly next: string | null }

/** One page of a project's events, oldest first, and the cursor of the next page (null at the end). */
export async function exportUsage(
  read: UsageStore['exportPage'],
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<UsagePage> {
  const rows = (await read(projectId, after === null ? null : placeOf(after), rowsMax)).map(renderLog)
  const last = rows.at(-1)
  return { rows, next: last === undefined || rows.length < rowsMax ? null : `${last.logged_at}/${last.id}` }
}

function placeOf(cursor: string) {
  const [loggedAt, id] = cursor.split('/')
  invariant(loggedAt && id, 'a cursor is one that a page gave')
  return { loggedAt, id }
}
