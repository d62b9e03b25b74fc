import type { Channel, Follower, FollowerKey } from './channel.js'
import type { Position } from './position.js'
import type { ReadPage } from './read-pages.js'
import type { Scope } from './store.js'
import type { Watchers } from './watchers.js'

/** A request that follows changes. */
export type WatchRequest = {
  readonly scope: Scope
  readonly key: FollowerKey
  readonly position: Position
  /** Aborted when its reader is gone. */
  readonly signal: AbortSignal
  /** Aborted when the service drains. */
  readonly draining: AbortSignal
  /** From here on it waits for what may be long in coming. */
  readonly park: () => void
}

export type WatchDeps = {
  readonly watchers: Watchers
  readonly read: ReadPage
  readonly random: () => number
  readonly count: (what: 'events' | 'cut') => void
}

type Behaviour = Omit<Follower, 'scope' | 'key' | 'position' | 'seen' | 'isBusy'>

/** Lets a follower in that behaves like this. */
export function follow(
  { watchers }: WatchDeps,
  { scope, key, position }: WatchRequest,
  behaviour: Behaviour,
): { readonly follower: Follower; readonly channel: Channel } {
  const follower: Follower = { scope, key, position, seen: 0, isBusy: false, ...behaviour }
  return { follower, channel: watchers.add(follower) }
}
