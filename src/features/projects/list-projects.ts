import { AppError } from '../../platform/errors.js'
import type { Project, ProjectStore } from './store.js'

export type ProjectPageInput = { readonly limit: number; readonly after: string | undefined }
export type ProjectPage = { readonly projects: readonly Project[]; readonly next: string | null }

/** Projects, oldest first, a page at a time. Throws `validation-failed` for a cursor that is none of ours. */
export async function listProjects(
  store: Pick<ProjectStore, 'listProjects'>,
  input: ProjectPageInput,
): Promise<ProjectPage> {
  const after = input.after === undefined ? undefined : readCursor(input.after)
  const projects = await store.listProjects(after, input.limit)
  const last = projects.length === input.limit ? projects.at(-1) : undefined
  return { projects, next: last === undefined ? null : `${last.createdAt.toISOString()}_${last.id}` }
}

function readCursor(text: string): { createdAt: Date; id: string } {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f-]{36})$/.exec(text)
  const createdAt = new Date(match?.[1] ?? Number.NaN)
  if (match?.[2] === undefined || Number.isNaN(createdAt.getTime())) {
    const errors = [{ pointer: 'query/after', message: 'is not a cursor of this list' }]
    throw new AppError('validation-failed', 'query/after: is not a cursor of this list', { errors })
  }
  return { createdAt, id: match[2] }
}
