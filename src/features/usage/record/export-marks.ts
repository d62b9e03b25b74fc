import type { ProjectId } from '../../../access/principal.js'
import { invariant } from '../../../platform/invariant.js'
import type { ExportedPage } from '../../contract.js'
import type { MarkStore } from './mark-store.js'

/** One page of a project's idempotency keys, and the cursor of the next page (null at the end). */
export async function exportMarks(
  read: MarkStore['exportPage'],
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const rows = await read(projectId, after === null ? null : positionOf(after), rowsMax)
  const last = rows.at(-1)
  return {
    rows: rows.map((row) => JSON.stringify(row)),
    next: last === undefined ? null : `${last.item}/${last.key}`,
  }
}

function positionOf(cursor: string) {
  const slash = cursor.indexOf('/')
  invariant(slash > 0, 'a cursor is one that a page gave')
  return { item: Number(cursor.slice(0, slash)), key: cursor.slice(slash + 1) }
}
