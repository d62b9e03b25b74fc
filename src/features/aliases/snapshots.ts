import type { ProjectId } from '../../access/principal.js'
import type { Clock } from '../../platform/clock.js'
import { TRUST_LIMITS } from '../../platform/limits.js'
import type { Reach } from '../../platform/reach.js'
import { type AliasHead, type ConfirmDeps, createConfirmation, heldUntil, supersede } from './confirm-snapshots.js'
import { createLoader, type Read } from './load-snapshots.js'
import { createReadAhead } from './read-ahead.js'
import { createSnapshotMemory, type Entry, entryName, type Project } from './snapshot-memory.js'

/** What is known of a profile (undefined: of all profiles). */
export type Known<T> = Pick<Entry<T>, 'profile' | 'epoch' | 'revision' | 'content'> & {
  /** Set where the database is away: how long ago this was last known to be current. */
  readonly staleSeconds?: number
}
/** What was read, and what is made of it if it is not too old by then. */
type Reading<T> = AliasHead & { readonly render: () => Promise<Rendered<T>> }
export type Rendered<T> = Pick<Entry<T>, 'content' | 'characters'>

/** A way in which profiles are read and kept. `only`: the one alias that matters, of what is too large to be kept. */
export type Kind<T> = {
  readonly name: string
  readonly load: (projectId: ProjectId, profile: string | undefined, only?: string) => Promise<Reading<T>>
  /** It is read ahead, of the profile and of all, once something of a profile is asked for: an outage finds it. */
  readonly isReadAhead?: boolean
}
export type Keeper<T> = {
  /** From memory alone, if it may be answered: no I/O. */
  inMemory(projectId: ProjectId, profile: string | undefined): Known<T> | undefined
  /** From memory, or from the database. */
  get(projectId: ProjectId, profile: string | undefined, only: string): Known<T> | Promise<Known<T>>
}

export type SnapshotDeps = ConfirmDeps & {
  readonly ageMs: () => number
  readonly reach: Reach
  readonly staleMsMax: number
  readonly clock: Clock
}

export type Snapshots = {
  keep<T>(kind: Kind<T>): Keeper<T>
  /** Something of a profile was asked for: what else shows it is read ahead. */
  readAhead(projectId: ProjectId, profile: string | undefined): void
  /** How many are in memory. */
  count(): number
  close(): void
  /**
   * Learns of a committed revision, and which profiles it touched (undefined: any). What is older is answered only
   * while the database is away. Only ever a number that Postgres gave us.
   */
  raiseFloor(projectId: ProjectId, revision: number, profiles?: readonly string[]): void
  /** Messages may have been missed: nothing is answered until one query confirmed it. */
  suspectAll(): void
}

const { aliasesTrustedMs, aliasesUntrustedLifeMs } = TRUST_LIMITS

/** What the aliases of profiles are, at the revision that holds now. One memory for all kinds. */
export function createSnapshots(deps: SnapshotDeps): Snapshots {
  const memory = createSnapshotMemory()
  const { confirm, suspectAll } = createConfirmation(memory, deps)

  const isFresh = (project: Project, entry: Entry): boolean =>
    !project.isSuspect &&
    !entry.superseded &&
    (deps.ageMs() < aliasesTrustedMs ||
      deps.clock() - Math.max(entry.loadedAt, project.confirmedAt) < aliasesUntrustedLifeMs)

  const lastKnown = (project: Project, entry: Entry): Known<unknown> | undefined => {
    if (!deps.reach.isAway()) return undefined
    const ms = deps.clock() - heldUntil(deps, project, entry)
    return ms < deps.staleMsMax ? { ...entry, staleSeconds: Math.floor(ms / 1000) } : undefined
  }

  const inMemory = (projectId: ProjectId, name: string): Known<unknown> | undefined => {
    const project = memory.use(projectId)
    const entry = project?.entries.get(name)
    if (project === undefined || entry === undefined) return undefined
    return isFresh(project, entry) ? entry : lastKnown(project, entry)
  }

  const load = createLoader(memory, deps, { confirm, inMemory })
  const ahead = createReadAhead(memory, deps, load)

  return {
    keep: (kind) => {
      if (kind.isReadAhead && deps.staleMsMax > 0) ahead.add(kind)
      return keeperOf(kind, inMemory, load, ahead.want)
    },
    readAhead: ahead.want,
    count: memory.count,
    close: ahead.close,
    raiseFloor: (projectId, revision, profiles) => raiseFloor(deps, memory.peek(projectId), revision, profiles),
    suspectAll,
  }
}

function raiseFloor(
  deps: SnapshotDeps,
  project: Project | undefined,
  revision: number,
  profiles: readonly string[] | undefined,
): void {
  if (project === undefined) return
  project.floor = Math.max(project.floor, revision)
  for (const entry of project.entries.values()) {
    const { profile } = entry
    const isTouched = profiles === undefined || profile === undefined || profiles.includes(profile)
    if (isTouched && entry.revision < revision) supersede(deps, project, entry)
  }
}

function keeperOf<T>(
  { name: kind, load: read }: Kind<T>,
  inMemory: (projectId: ProjectId, name: string) => Known<unknown> | undefined,
  load: (read: Read) => Promise<Known<unknown>>,
  readAhead: Snapshots['readAhead'],
): Keeper<T> {
  const nameOf = (profile: string | undefined) => entryName(kind, profile)
  // What stands under a name of this kind was read by it.
  const find = (projectId: ProjectId, name: string) => inMemory(projectId, name) as Known<T> | undefined
  return {
    inMemory: (projectId, profile) => find(projectId, nameOf(profile)),
    get: (projectId, profile, only) => {
      const name = nameOf(profile)
      const known = find(projectId, name)
      if (known !== undefined) return known
      readAhead(projectId, profile)
      return load({ projectId, profile, only, name, load: read }).then(
        (loaded) => loaded as Known<T>,
        // It may have become clear only now that the database is away.
        (error: unknown) => find(projectId, name) ?? Promise.reject(error),
      )
    },
  }
}
