import type { ProjectId } from '../../access/principal.js'
import { WEBHOOK_LIMITS } from './limits.js'

/** The projects with a delivery that this instance has written and not heard of as committed. */
export type Expected = {
  add(projectId: ProjectId): void
  /** Whether it was there. It is not any more. */
  take(projectId: ProjectId): boolean
}

/** Bounded: transactions that were rolled back are never heard of, and the oldest entry makes room. */
export function createExpected(projectsMax: number = WEBHOOK_LIMITS.expectedProjectsMax): Expected {
  const projects = new Set<ProjectId>()
  return {
    add: (projectId) => {
      const [oldest] = projects
      if (projects.size >= projectsMax && oldest !== undefined) projects.delete(oldest)
      projects.add(projectId)
    },
    take: (projectId) => projects.delete(projectId),
  }
}
