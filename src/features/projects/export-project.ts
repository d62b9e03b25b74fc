import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import type { Feature } from '../contract.js'
import { PROJECT_LIMITS } from './limits.js'
import { renderKey, renderProject } from './render.js'
import type { ProjectStore } from './store.js'

export type ExportDeps = {
  readonly store: ProjectStore
  /** All that may hold something of a project. */
  readonly features: readonly Pick<Feature, 'export'>[]
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
  yield head.map((row) => `${JSON.stringify(row)}\n`).join('')
  for (const [type, page] of deps.features.flatMap((feature) => Object.entries(feature.export ?? {}))) {
    let after: string | null = null
    let rowsMax: number = PROJECT_LIMITS.exportFirstRows
    do {
      const { rows, next } = await page(id, after, rowsMax)
      if (rows.length > 0) yield rows.map((row) => `{"type":${JSON.stringify(type)},${row.slice(1)}\n`).join('')
      // Twice what fitted: measuring many large rows for each page would read them again and again.
      rowsMax = Math.min(2 * Math.max(rows.length, 1), PROJECT_LIMITS.exportRowsMax)
      after = next
    } while (after !== null)
  }
  // The last line tells a whole download from one that was cut.
  yield `${JSON.stringify({ type: 'end' })}\n`
}
