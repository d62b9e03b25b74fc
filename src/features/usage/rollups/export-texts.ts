import type { ProjectId } from '../../../access/principal.js'
import type { ExportedPage } from '../../contract.js'
import type { PlacedText } from './rollup-store.js'

/** One page of rows that are JSON texts already, and the cursor of the next page (null at the end). */
export async function exportTexts(
  read: (projectId: ProjectId, after: string | null, rowsMax: number) => Promise<readonly PlacedText[]>,
  projectId: ProjectId,
  after: string | null,
  rowsMax: number,
): Promise<ExportedPage> {
  const rows = await read(projectId, after, rowsMax)
  return { rows: rows.map(({ text }) => text), next: rows.at(-1)?.place ?? null }
}
