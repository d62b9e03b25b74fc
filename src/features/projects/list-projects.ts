import { NO_PROJECT } from '../../access/principal.js'
import type { Project, ProjectStore } from './store.js'

export type ProjectPageInput = { readonly limit: number; readonly after: string | undefined }
export type ProjectPage = { readonly projects: readonly Project[]; readonly next: string | null }

/** Projects, oldest first, a page at a time; `after` is the `next` of the page before. */
export async function listProjects(
  store: Pick<ProjectStore, 'listProjects'>,
  input: ProjectPageInput,
): Promise<ProjectPage> {
  const projects = await store.listProjects(input.after ?? NO_PROJECT, input.limit)
  const last = projects.length === input.limit ? projects.at(-1) : undefined
  return { projects, next: last?.id ?? null }
}
