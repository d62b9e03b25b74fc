import type { ProjectId } from '../../../access/principal.js'
import { invariant } from '../../../platform/invariant.js'
import type { ExportedPage } from '../../contract.js'
import type { ReadExportPage } from './log-store.js'
import { renderListed } from './render-log.js'

/** One page of a project's events, oldest first, and the cursor of the next page (null at the end). */
export async function exportUsage(
  read: ReadExportPage,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const { rows, isLast } = await read(projectId, after === null ? null : positionOf(after), rowsMax)
  const last = isLast && rows.length < rowsMax ? undefined : rows.at(-1)
  return {
    rows: rows.map(renderListed),
    next: last === undefined ? null : `${last.loggedAt.toISOString()}/${last.id}`,
  }
}

function positionOf(cursor: string) {
  const [loggedAt, id] = cursor.split('/')
  invariant(loggedAt && id, 'a cursor is one that a page gave')
  return { loggedAt, id }
}
