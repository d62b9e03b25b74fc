import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import type { Feature } from '../contract.js'
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
  yield lines(head)
  for (const [type, page] of deps.features.flatMap((feature) => Object.entries(feature.export ?? {}))) {
    let after: string | null = null
    do {
      const { rows, next } = await page(id, after)
      if (rows.length > 0) yield lines(rows.map((row) => ({ type, ...row })))
      after = next
    } while (after !== null)
  }
  // The last line tells a whole download from one that was cut.
  yield lines([{ type: 'end' }])
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
