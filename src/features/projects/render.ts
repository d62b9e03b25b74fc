import type { Project, ProjectKey } from './store.js'

/** A project as it is shown. */
export function renderProject(project: Project) {
  return { id: project.id, name: project.name, origin: project.origin, created_at: project.createdAt.toISOString() }
}

/** A key as it is shown: never its hash, never its text. */
export function renderKey(key: ProjectKey) {
  return {
    id: key.id,
    project_id: key.projectId,
    prefix: key.prefix,
    name: key.name,
    role: key.role,
    created_at: key.createdAt.toISOString(),
    revoked_at: key.revokedAt?.toISOString() ?? null,
  }
}
