import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import { renderKey, renderProject } from './render.js'
import type { ProjectStore } from './store.js'

/**
 * One page of what a feature holds of a project, in a stable order: plain JSON values, and the cursor of the next page
 * (null at the end). Each page is a statement of its own, so no transaction lasts as long as the download.
 */
export type ExportPage = (
  projectId: ProjectId,
  after: string | null,
) => Promise<{ readonly rows: readonly unknown[]; readonly next: string | null }>

export type ExportDeps = {
  readonly store: ProjectStore
  /** By the `type` that its lines carry. */
  readonly exporters: Readonly<Record<string, ExportPage>>
}

/** Everything of a project as NDJSON: one `{type, …}` object a line. Throws `not-found` before anything is sent. */
export async function exportProject(deps: ExportDeps, id: ProjectId): Promise<AsyncGenerator<string>> {
  const project = await deps.store.findProject(id)
  if (project === undefined) throw new AppError('not-found', 'There is no such project.')
  const keys = await deps.store.listKeys(id)
  const head = [
    { type: 'project', ...renderProject(project) },
    ...keys.map((key) => ({ type: 'key', ...renderKey(key) })),
  ]
  return exportLines(deps, id, head)
}

async function* exportLines(deps: ExportDeps, id: ProjectId, head: readonly object[]): AsyncGenerator<string> {
  yield lines(head)
  for (const [type, page] of Object.entries(deps.exporters)) {
    let after: string | null = null
    do {
      const { rows, next } = await page(id, after)
      if (rows.length > 0) yield lines(rows.map((row) => ({ type, ...(row as object) })))
      after = next
    } while (after !== null)
  }
  // The last line tells a whole download from one that was cut.
  yield lines([{ type: 'end' }])
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
