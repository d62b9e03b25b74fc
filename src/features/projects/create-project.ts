import { v7 as uuidv7 } from 'uuid'
import type { ProjectId } from '../../access/principal.js'
import type { Transact } from '../../db/transact.js'
import type { Project, ProjectStore } from './store.js'

/** A new project without keys. */
export function createProject(
  deps: { readonly transact: Transact; readonly store: ProjectStore },
  name: string | null,
): Promise<Project> {
  return deps.transact((tx) => deps.store.insertProject(tx, uuidv7() as ProjectId, name, 'made'))
}
