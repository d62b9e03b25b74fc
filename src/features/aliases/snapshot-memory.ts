import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../access/principal.js'
import { ALIAS_LIMITS } from './limits.js'

/** Something that was read of a profile (undefined: of all), and what tells whether it is current. */
export type Entry<T = unknown> = {
  readonly profile: string | undefined
  readonly epoch: string
  /** The project's, when this was read. */
  readonly revision: number
  readonly content: T
  readonly characters: number
  readonly loadedAt: number
  /** Until when it is known to have been current, once it is not any more or may not be. */
  heldUntil: number | undefined
  /** A later revision of its profile is known: only while the database is away it is better than nothing. */
  superseded: boolean
  /** It was read before it was asked for, and makes room for what is asked for. */
  readonly isAhead: boolean
}

export type Project = {
  /** The highest revision that is known to be committed. */
  floor: number
  /** Messages may have been missed since it was confirmed. */
  isSuspect: boolean
  /** When one query showed that nothing was missed; by the monotonic clock, as all times here. */
  confirmedAt: number
  readonly entries: Map<string, Entry>
  /** Until when each entry that was too large to be kept is read row by row. */
  readonly tooLarge: Map<string, number>
  readonly loading: Map<string, Promise<Entry>>
  forgotten: boolean
}
export type SnapshotMemory = ReturnType<typeof createSnapshotMemory>

const SHARE = ALIAS_LIMITS.snapshotCharactersMax * ALIAS_LIMITS.snapshotProjectShareMax

/** The projects that were asked for last, within the limits of all entries, of one project's, and of their number. */
export function createSnapshotMemory() {
  /** Of all entries. */
  let characters = 0
  const projects = new LRUCache<ProjectId, Project>({
    max: ALIAS_LIMITS.snapshotProjectsMax,
    dispose: (project) => {
      // A load that is under way must not install itself where no notification would find it any more.
      project.forgotten = true
      characters -= charactersOf(project)
    },
  })

  const remove = (project: Project, name: string): void => {
    characters -= project.entries.get(name)?.characters ?? 0
    project.entries.delete(name)
  }

  return {
    use: (projectId: ProjectId): Project | undefined => projects.get(projectId),
    peek: (projectId: ProjectId): Project | undefined => projects.peek(projectId),
    all: (): [ProjectId, Project][] => [...projects.entries()],
    forget: (projectId: ProjectId): void => void projects.delete(projectId),
    count: (): number => [...projects.values()].reduce((sum, { entries }) => sum + entries.size, 0),
    /** Whether there is room for what was not asked for yet: it takes half of each limit at most. */
    hasSpareRoom: (project: Project | undefined): boolean =>
      characters < ALIAS_LIMITS.snapshotCharactersMax / 2 &&
      (project?.entries.size ?? 0) < ALIAS_LIMITS.snapshotsPerProjectMax / 2,
    add: (projectId: ProjectId): Project => {
      const project = newProject()
      projects.set(projectId, project)
      return project
    },
    install: (project: Project, name: string, entry: Entry): void => {
      // Rendering takes turns with everything else: a commit that became known meanwhile makes this an old state.
      if (project.forgotten || entry.revision < project.floor) return
      if (entry.isAhead && charactersOf(project) + entry.characters > SHARE / 2) return
      remove(project, name)
      for (const dispensable of makeRoom(project, entry.characters)) remove(project, dispensable)
      if (charactersOf(project) + entry.characters > SHARE) {
        markTooLarge(project, name, entry.loadedAt)
        return
      }
      project.tooLarge.delete(name)
      project.entries.set(name, entry)
      characters += entry.characters
      while (characters > ALIAS_LIMITS.snapshotCharactersMax && projects.size > 1) projects.pop()
    },
  }
}

const newProject = (): Project => ({
  ...{ floor: 0, isSuspect: false, confirmedAt: Number.NEGATIVE_INFINITY, forgotten: false },
  ...{ entries: new Map(), tooLarge: new Map(), loading: new Map() },
})

/** Under which a profile (undefined: all) is kept in one of the ways. */
export const entryName = (kind: string, profile: string | undefined): string =>
  profile === undefined ? kind : `${kind} ${profile}`

/** The names of what has to go for an entry of so many characters. */
function makeRoom(project: Project, wanted: number): string[] {
  const names = [...project.entries.keys()]
  const isDispensable = (name: string) => {
    const entry = project.entries.get(name)
    return entry?.superseded === true || entry?.isAhead === true
  }
  if (charactersOf(project) + wanted > SHARE) return names.filter(isDispensable)
  if (names.length < ALIAS_LIMITS.snapshotsPerProjectMax) return []
  return [...names.filter(isDispensable), ...names].slice(0, 1)
}

/**
 * Read and rendered for every resolve, such a profile takes 300 ms each time. Of the whole budget it would take what
 * thousands of other projects need, so that it is read row by row, and tried as a whole now and then.
 */
function markTooLarge({ tooLarge }: Project, name: string, nowMs: number): void {
  tooLarge.delete(name)
  const oldest = tooLarge.keys().next()
  if (tooLarge.size >= ALIAS_LIMITS.snapshotsPerProjectMax && !oldest.done) tooLarge.delete(oldest.value)
  tooLarge.set(name, nowMs + ALIAS_LIMITS.tooLargeForMs)
}

function charactersOf({ entries }: Project): number {
  let characters = 0
  for (const entry of entries.values()) characters += entry.characters
  return characters
}
