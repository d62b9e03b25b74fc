import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import type { Reach } from '../../platform/reach.js'
import type { Entry, Project, SnapshotMemory } from './snapshot-memory.js'

/** What a project's aliases are at: one counter, and which count it belongs to. */
export type AliasHead = { readonly epoch: string; readonly revision: number }

export type ConfirmDeps = {
  /** The heads of these projects, in one query; none for a project that never had an alias. */
  readonly readHeads: (projectIds: readonly ProjectId[]) => Promise<ReadonlyMap<ProjectId, AliasHead>>
  readonly reach: Reach
  /** How old our knowledge of commits elsewhere may be, in milliseconds. */
  readonly ageMs: () => number
  readonly clock: Clock
}

/** Until when an entry is known to have been current, in milliseconds of the monotonic clock. */
export const heldUntil = ({ clock, ageMs }: ConfirmDeps, project: Project, entry: Entry): number =>
  entry.heldUntil ?? Math.max(entry.loadedAt, project.confirmedAt, clock() - ageMs())

export function supersede(deps: ConfirmDeps, project: Project, entry: Entry): void {
  entry.heldUntil = heldUntil(deps, project, entry)
  entry.superseded = true
}

/**
 * Suspicion, and its end: one query for the heads of all projects in memory, whoever asks meanwhile shares it. What
 * stands at its project's head is current, and everything else is not.
 */
export function createConfirmation(memory: SnapshotMemory, deps: ConfirmDeps) {
  let suspicions = 0
  let confirming: Promise<void> | undefined

  const ask = async (): Promise<void> => {
    const at = deps.clock()
    const before = suspicions
    const asked = memory.all().map(([id, project]) => ({ id, project, floor: project.floor }))
    const heads = await deps.reach.ask(() => deps.readHeads(asked.map(({ id }) => id)), true)
    for (const { id, project, floor } of asked) {
      const verdict = { head: heads.get(id), floor, at, acquits: before === suspicions }
      if (!project.forgotten && !judge(deps, project, verdict)) memory.forget(id)
    }
  }

  const confirm = (): Promise<void> => {
    confirming ??= ask().finally(() => {
      confirming = undefined
    })
    return confirming
  }

  const suspectAll = (): void => {
    suspicions += 1
    const all = memory.all()
    for (const [id, project] of all) suspect(memory, deps, id, project)
    // Who asks before that is through waits for it, and hears of its failure.
    if (all.length > 0) confirm().catch(() => undefined)
  }

  return { confirm, suspectAll }
}

type Verdict = {
  readonly head: AliasHead | undefined
  /** What was known to be committed when the query began, and when that was. */
  readonly floor: number
  readonly at: number
  /** False if something became suspect since: that waits for the next query. */
  readonly acquits: boolean
}

/** Says no where nothing that was known of the project means anything any more. */
function judge(deps: ConfirmDeps, project: Project, { head, floor, at, acquits }: Verdict): boolean {
  const entries = [...project.entries.values()].filter(({ loadedAt }) => loadedAt <= at)
  if (isAnother(head, floor, entries)) return false
  const revision = head?.revision ?? 0
  for (const entry of entries) if (entry.revision < revision) supersede(deps, project, entry)
  if (acquits) acquit(project, entries, revision, at)
  return true
}

/** Revisions began anew, or the database lost some. */
function isAnother(head: AliasHead | undefined, floor: number, entries: readonly Entry[]): boolean {
  const revision = head?.revision ?? 0
  if (revision < floor || entries.some((entry) => entry.revision > revision)) return true
  return head !== undefined && entries.some(({ epoch }) => epoch !== head.epoch)
}

function acquit(project: Project, entries: readonly Entry[], revision: number, at: number): void {
  for (const entry of entries) if (!entry.superseded) entry.heldUntil = undefined
  project.isSuspect = false
  project.confirmedAt = at
  project.floor = Math.max(project.floor, revision)
}

function suspect(memory: SnapshotMemory, deps: ConfirmDeps, id: ProjectId, project: Project): void {
  // A floor alone, which the next load finds again.
  if (project.entries.size === 0) memory.forget(id)
  for (const entry of project.entries.values()) entry.heldUntil = heldUntil(deps, project, entry)
  project.isSuspect = true
}
