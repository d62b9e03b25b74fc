import { LRUCache } from 'lru-cache'
import type { ProjectId } from '../../access/principal.js'
import type { RegistryFacts } from '../../core/routing/index.js'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { TRUST_LIMITS } from '../../platform/limits.js'
import { createSlices } from '../../platform/slices.js'
import { ALIAS_LIMITS } from './limits.js'
import type { LoadedBinding, LoadedProfile } from './store.js'
import { followRegistry, type RegistryNow, resolveModels } from './wildcard-answer.js'

/** What the aliases of one profile mean at one revision, as the bytes of the answers. */
export type Snapshot = {
  readonly revision: number
  readonly answers: ReadonlyMap<string, string>
  /** The same of aliases with a wildcard: what they mean depends on the registry, too. */
  readonly wildcardAnswers: ReadonlyMap<string, () => string>
  readonly loadedAt: number
  readonly characters: number
}

export type SnapshotDeps = {
  /** A profile; with an alias, only what it says of that one. */
  readonly load: (projectId: ProjectId, profile: string, alias?: string) => Promise<LoadedProfile>
  /** How old our knowledge of commits elsewhere may be, in milliseconds. */
  readonly ageMs: () => number
  readonly clock: Clock
  readonly registry: RegistryNow
}

export type Snapshots = {
  /** The snapshot in memory, if it may be used: no I/O. */
  cached(projectId: ProjectId, profile: string): Snapshot | undefined
  /** The profile's snapshot; of a profile that was too large to be kept only what it says of this alias. */
  load(projectId: ProjectId, profile: string, alias: string): Promise<Snapshot>
  /**
   * Learns of a committed revision: nothing older is answered from here on. Only ever a number that Postgres gave us.
   */
  raiseFloor(projectId: ProjectId, revision: number): void
  /** Messages may have been missed: forgets everything. */
  reset(): void
}

const { aliasesTrustedMs, aliasesUntrustedLifeMs } = TRUST_LIMITS

const SHARE = ALIAS_LIMITS.snapshotCharactersMax * ALIAS_LIMITS.snapshotProjectShareMax

type Project = {
  floor: number
  readonly profiles: Map<string, Snapshot>
  /** Until when each profile that was too large to be kept is asked for row by row, by the monotonic clock. */
  readonly tooLarge: Map<string, number>
  readonly loading: Map<string, Promise<Snapshot>>
  forgotten: boolean
}

export function createSnapshots(deps: SnapshotDeps): Snapshots {
  const memory = createMemory()

  const isUsable = (snapshot: Snapshot) =>
    deps.ageMs() < aliasesTrustedMs || deps.clock() - snapshot.loadedAt < aliasesUntrustedLifeMs

  /** A load below the floor began before a commit that we know of: it is repeated, never installed. */
  const loadOnce = async (project: Project, projectId: ProjectId, profile: string, alias?: string) => {
    for (let attempt = 0; attempt < ALIAS_LIMITS.loadAttemptsMax; attempt++) {
      const loadedAt = deps.clock()
      const loaded = await deps.load(projectId, profile, alias)
      if (loaded.revision < project.floor) continue
      const snapshot = await renderSnapshot(loaded, profile, loadedAt, deps.registry)
      if (alias === undefined) memory.install(project, profile, snapshot)
      return snapshot
    }
    throw new AppError('database-unavailable', 'The database answers with an older state than it committed.', {
      retryAfterSeconds: 1,
    })
  }

  return {
    cached: (projectId, profile) => {
      const snapshot = memory.use(projectId)?.profiles.get(profile)
      return snapshot !== undefined && isUsable(snapshot) ? snapshot : undefined
    },
    load: (projectId, profile, alias) => {
      const project = memory.use(projectId) ?? memory.add(projectId)
      const only = deps.clock() < (project.tooLarge.get(profile) ?? Number.NEGATIVE_INFINITY) ? alias : undefined
      // Keyed by the floor, too: who comes after a commit must not be given a load that began before it.
      const flight = JSON.stringify([project.floor, profile, only])
      const { loading } = project
      const pending = loading.get(flight)
      if (pending !== undefined) return pending
      const fresh = loadOnce(project, projectId, profile, only).finally(() => loading.delete(flight))
      loading.set(flight, fresh)
      return fresh
    },
    raiseFloor: memory.raiseFloor,
    reset: memory.clear,
  }
}

/** The projects that were asked for last, within the limits of all snapshots, of one project's, and of their number. */
function createMemory() {
  /** Of all snapshots. */
  let characters = 0
  const projects = new LRUCache<ProjectId, Project>({
    max: ALIAS_LIMITS.snapshotProjectsMax,
    dispose: (project) => {
      // A load that is under way must not install itself where no notification would find it any more.
      project.forgotten = true
      for (const snapshot of project.profiles.values()) characters -= snapshot.characters
    },
  })

  const remove = (project: Project, profile: string): void => {
    characters -= project.profiles.get(profile)?.characters ?? 0
    project.profiles.delete(profile)
  }

  return {
    use: (projectId: ProjectId): Project | undefined => projects.get(projectId),
    add: (projectId: ProjectId): Project => {
      const project = { floor: 0, profiles: new Map(), tooLarge: new Map(), loading: new Map(), forgotten: false }
      projects.set(projectId, project)
      return project
    },
    install: (project: Project, profile: string, snapshot: Snapshot): void => {
      // Rendering takes turns with everything else: a commit that became known meanwhile makes this an old state.
      if (project.forgotten || snapshot.revision < project.floor) return
      remove(project, profile)
      if (charactersOf(project) + snapshot.characters > SHARE) {
        markTooLarge(project, profile, snapshot.loadedAt)
        return
      }
      project.tooLarge.delete(profile)
      const oldest = project.profiles.keys().next()
      const isFull = project.profiles.size >= ALIAS_LIMITS.snapshotProfilesPerProjectMax
      if (isFull && !oldest.done) remove(project, oldest.value)
      project.profiles.set(profile, snapshot)
      characters += snapshot.characters
      while (characters > ALIAS_LIMITS.snapshotCharactersMax && projects.size > 1) projects.pop()
    },
    raiseFloor: (projectId: ProjectId, revision: number): void => {
      const project = projects.peek(projectId)
      if (project === undefined || revision <= project.floor) return
      project.floor = revision
      for (const [profile, snapshot] of project.profiles) if (snapshot.revision < revision) remove(project, profile)
    },
    clear: (): void => projects.clear(),
  }
}

/**
 * Read and rendered for every resolve, such a profile takes 300 ms each time. Of the whole budget it would take what
 * thousands of other projects need, so that it is read row by row, and tried as a whole now and then.
 */
function markTooLarge({ tooLarge }: Project, profile: string, nowMs: number): void {
  tooLarge.delete(profile)
  const oldest = tooLarge.keys().next()
  if (tooLarge.size >= ALIAS_LIMITS.snapshotProfilesPerProjectMax && !oldest.done) tooLarge.delete(oldest.value)
  tooLarge.set(profile, nowMs + ALIAS_LIMITS.tooLargeForMs)
}

function charactersOf({ profiles }: Project): number {
  let characters = 0
  for (const snapshot of profiles.values()) characters += snapshot.characters
  return characters
}

async function renderSnapshot(
  loaded: LoadedProfile,
  profile: string,
  loadedAt: number,
  registry: RegistryNow,
): Promise<Snapshot> {
  const { revision, bindings } = loaded
  const slices = createSlices()
  const answers = new Map<string, string>()
  const wildcardAnswers = new Map<string, () => string>()
  let characters = profile.length
  for (const binding of bindings) {
    if (slices.isDue()) await slices.pause()
    const { alias, models, wildcardConstraints = null } = binding
    if (wildcardConstraints === null) {
      const answer = renderResolved(binding, profile, revision)
      characters += answer.length + alias.length
      answers.set(alias, answer)
    } else {
      const answer = followRegistry(registry, (facts) => renderWildcard(binding, profile, revision, facts))
      characters += answer().length + alias.length + models.length + wildcardConstraints.length
      wildcardAnswers.set(alias, answer)
    }
  }
  return { revision, answers, wildcardAnswers, loadedAt, characters }
}

/** The answer to resolve an alias, in memory; undefined if it is not bound. */
export const answerOf = ({ answers, wildcardAnswers }: Snapshot, alias: string): string | undefined =>
  answers.get(alias) ?? wildcardAnswers.get(alias)?.()

/** The answer to resolve an alias that is not bound. */
export const renderUnbound = (alias: string, profile: string, revision: number): string =>
  renderResolved({ alias, model: 'null', models: '[]' }, profile, revision)

/** Joined, not added up: a sum of texts keeps each of them in memory until it is read. */
function renderResolved({ alias, model, models }: LoadedBinding, profile: string, revision: number): string {
  const names = ['{"alias":', JSON.stringify(alias), ',"model":', model, ',"models":', models]
  return [...names, ',"profile":', JSON.stringify(profile), `,"revision":${revision}}`].join('')
}

/** The same of an alias with a wildcard, with `warnings` if one stands for no model now. */
function renderWildcard(binding: LoadedBinding, profile: string, revision: number, facts: RegistryFacts): string {
  const bound: readonly string[] = JSON.parse(binding.models)
  const { model, models, warnings } = resolveModels(facts, bound, binding.wildcardConstraints ?? null)
  const texts = { model: JSON.stringify(model), models: JSON.stringify(models) }
  const answer = renderResolved({ alias: binding.alias, ...texts }, profile, revision)
  return warnings.length === 0 ? answer : `${answer.slice(0, -1)},"warnings":${JSON.stringify(warnings)}}`
}
