import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import { ALIAS_LIMITS } from './limits.js'
import type { Entry, Project, SnapshotMemory } from './snapshot-memory.js'
import type { Kind, Known, SnapshotDeps } from './snapshots.js'

/** What to read, and the name under which it is kept. */
export type Read = Pick<Kind<unknown>, 'load'> & {
  readonly projectId: ProjectId
  readonly profile: string | undefined
  readonly only: string | undefined
  readonly name: string
  /** It was not asked for yet: it is left out where it would take the room of something else. */
  readonly isAhead?: boolean
}
type Ports = {
  readonly confirm: () => Promise<void>
  readonly inMemory: (projectId: ProjectId, name: string) => Known<unknown> | undefined
}

/** Brings what is wanted into memory: confirmed where it may still be current, read anew otherwise. */
export function createLoader(memory: SnapshotMemory, deps: SnapshotDeps, { confirm, inMemory }: Ports) {
  return async (wanted: Read): Promise<Known<unknown>> => {
    const { projectId, name } = wanted
    const before = memory.use(projectId)
    const held = before?.entries.get(name)
    if (before?.isSuspect || held?.superseded === false) {
      await confirm()
      const confirmed = inMemory(projectId, name)
      if (confirmed !== undefined) return confirmed
    }
    const project = memory.use(projectId) ?? memory.add(projectId)
    const isTooLarge = deps.clock() < (project.tooLarge.get(name) ?? Number.NEGATIVE_INFINITY)
    const read = { ...wanted, only: isTooLarge ? wanted.only : undefined }
    // Keyed by the floor, too: who comes after a commit must not be given a load that began before it.
    const flight = JSON.stringify([project.floor, name, read.only])
    const pending = project.loading.get(flight)
    if (pending !== undefined) return pending
    const fresh = loadOnce(memory, deps, project, read).finally(() => project.loading.delete(flight))
    project.loading.set(flight, fresh)
    return fresh
  }
}

/** A load below the floor began before a commit that we know of: it is repeated, never installed. */
async function loadOnce(memory: SnapshotMemory, deps: SnapshotDeps, project: Project, read: Read): Promise<Entry> {
  const { projectId, profile, only, name, isAhead = false } = read
  const ask = () => read.load(projectId, profile, only)
  for (let attempt = 0; attempt < ALIAS_LIMITS.loadAttemptsMax; attempt++) {
    const loadedAt = deps.clock()
    const { epoch, revision, render } = await deps.reach.ask(ask, project.entries.has(name))
    if (revision < project.floor) continue
    const found = { epoch, revision, profile, loadedAt, heldUntil: undefined, superseded: false, isAhead }
    const entry = { ...found, ...(await render()) }
    if (only === undefined) memory.install(project, name, entry)
    return entry
  }
  // What the database says again and again is the truth, even if it said something else before (a failover).
  memory.forget(projectId)
  throw new AppError('database-unavailable', 'The database answers with an older state than it committed.', {
    retryAfterSeconds: 1,
  })
}
