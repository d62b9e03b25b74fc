import type { ProjectId } from '../../access/principal.js'
import { AppError } from '../../platform/errors.js'
import { type Channel, type ChannelDeps, createChannel, type Follower } from './channel.js'
import { SYNC_LIMITS } from './limits.js'

export type Watchers = {
  /** Throws `overloaded` if there are as many as there may be, in all or of the project. */
  add(follower: Follower): Channel
  /** Does nothing to one that left before. */
  remove(follower: Follower): void
  /** Something changed in these profiles of a project, or in any of them: wakes who follows one of them. */
  change(projectId: ProjectId, profiles: readonly string[] | undefined): void
  readonly channels: () => Iterable<Channel>
  readonly projectIds: () => readonly ProjectId[]
  /** What is followed of a project. */
  channelsOf(projectId: ProjectId): Iterable<Channel>
  readonly count: () => number
}

/** By profile; null: those who follow all of them. */
type Project = { count: number; readonly channels: Map<string | null, Channel> }

/** Everyone who follows changes, by project and profile. `watchersMax` is for all of them together. */
export function createWatchers(deps: ChannelDeps, watchersMax: number): Watchers {
  const projects = new Map<ProjectId, Project>()
  const projectMax = Math.ceil(watchersMax * SYNC_LIMITS.projectShareMax)
  let count = 0

  return {
    add: (follower) => {
      const { projectId, profile } = follower.scope
      const project = projects.get(projectId) ?? { count: 0, channels: new Map() }
      if (count >= watchersMax || project.count >= projectMax) throw tooMany()
      projects.set(projectId, project)
      const channel = project.channels.get(profile) ?? createChannel(deps, follower.scope)
      project.channels.set(profile, channel)
      channel.add(follower)
      project.count += 1
      count += 1
      return channel
    },
    remove: (follower) => {
      const { projectId, profile } = follower.scope
      const project = projects.get(projectId)
      const channel = project?.channels.get(profile)
      if (project === undefined || channel?.followers.has(follower) !== true) return
      channel.remove(follower)
      if (channel.followers.size === 0) project.channels.delete(profile)
      project.count -= 1
      count -= 1
      if (project.count === 0) projects.delete(projectId)
    },
    change: (projectId, profiles) => {
      const channels = projects.get(projectId)?.channels
      if (channels === undefined) return
      channels.get(null)?.change(true)
      if (profiles !== undefined) for (const profile of profiles) channels.get(profile)?.change(true)
      else for (const [profile, channel] of channels) if (profile !== null) channel.change(true)
    },
    channels: function* () {
      for (const { channels } of projects.values()) yield* channels.values()
    },
    projectIds: () => [...projects.keys()],
    channelsOf: (projectId) => projects.get(projectId)?.channels.values() ?? [],
    count: () => count,
  }
}

function tooMany(): AppError {
  const retryAfterSeconds = Math.ceil(Math.random() * SYNC_LIMITS.fullRetrySecondsMax)
  const detail = 'This service, or this project, has as many clients that follow changes as it may have.'
  return new AppError('overloaded', detail, { retryAfterSeconds })
}
