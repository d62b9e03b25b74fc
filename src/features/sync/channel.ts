import { createSlices } from '../../platform/slices.js'
import type { FanOut } from './fan-out.js'
import { inNextTurn } from './in-next-turn.js'
import type { Page } from './page.js'
import { type Position, placeKey } from './position.js'
import { type ReadEach, type ReadPage, readWhole } from './read-pages.js'
import type { Scope, WatchedHead } from './store.js'

/** One who follows a profile, or a project. */
export type Follower = {
  readonly scope: Scope
  readonly key: FollowerKey
  position: Position
  /** How many changes of its channel it has heard of and has; a new one has none. */
  seen: number
  /** Whether it is being told something. */
  isBusy: boolean
  /** Whether it shall hear of each revision by itself from now on. */
  isLive(): boolean
  /** Whether it has taken what it was told before. It calls its channel's `run` once it has. */
  isReady(): boolean
  /** Something is due that it is not ready for. */
  lag(): void
  /**
   * What it did not have; behind this it stands at the page's end. `isNews`: its profile was changed since it was told
   * something, if only in what a lockfile holds beside its aliases.
   */
  take(page: Page, isNews: boolean): void
  /** Changes could not be read. One that was told something before waits on; another one gives up, and leaves. */
  fail(error: unknown): void
  /** Its key does not hold any more. */
  dismiss(): void
}
/** Whose follower it is: the key's id, or the hash of a key that had no project. */
export type FollowerKey = { readonly id: string | null; readonly newHash: string | undefined }

export type Channel = {
  readonly followers: ReadonlySet<Follower>
  add(follower: Follower): void
  remove(follower: Follower): void
  /** Something changed, here or (where only the head is known) elsewhere: tells everyone who is behind. */
  change(isHere: boolean): void
  /** Tells those who are behind, again if that failed before. */
  run(): void
  /** Whether everyone has what this head says that there is. */
  isAt(head: WatchedHead): boolean
}

export type ChannelDeps = { readonly read: ReadPage; readonly readEach: ReadEach; readonly fanOut: FanOut }

/**
 * Those who follow the same profile. What they lack is read once for all who stand at the same place. Each is told in the
 * order of the revisions: the next read for it begins when it was told what the one before gave.
 */
export function createChannel(deps: ChannelDeps, scope: Scope): Channel {
  const followers = new Set<Follower>()
  // A follower that never heard of anything is behind.
  let changes = 1
  let changedHere = 1
  let busyCount = 0

  const serve = async (group: readonly Follower[]): Promise<void> => {
    busyCount += group.length
    const isTold = await tell(deps, scope, followers, group, { changes, changedHere })
    for (const follower of group) follower.isBusy = false
    busyCount -= group.length
    // What failed is tried again with the next change, or by those who look after the channels.
    if (isTold) run()
  }

  const run = inNextTurn(async () => {
    if (busyCount >= followers.size) return
    for (const group of await groupsOf(followers, () => changes)) void serve(group)
  })

  return {
    followers,
    add: (follower) => {
      followers.add(follower)
      run()
    },
    remove: (follower) => void followers.delete(follower),
    change: (isHere) => {
      changes += 1
      if (isHere) changedHere = changes
      run()
    },
    run,
    isAt: ({ epoch, revision }) => {
      for (const { position } of followers) {
        if (position.epoch !== epoch || position.since !== revision) return false
      }
      return true
    },
  }
}

/** Reads what all of a group lack, and tells those who are still there; says whether it could be read. */
async function tell(
  { read, readEach, fanOut }: ChannelDeps,
  scope: Scope,
  followers: ReadonlySet<Follower>,
  group: readonly Follower[],
  { changes, changedHere }: { readonly changes: number; readonly changedHere: number },
): Promise<boolean> {
  try {
    const { position } = group[0] as Follower
    const latest = await readWhole(read, scope, position)
    const each = group.some(({ isLive }) => isLive()) ? await readEach(latest, position.since) : latest
    await fanOut.tellAll(group, (follower) => {
      if (!followers.has(follower)) return
      const page = follower.isLive() ? each : latest
      const isNews = follower.seen < changedHere && follower.position.since < page.next.since
      follower.position = page.next
      if (page.isLast) follower.seen = changes
      follower.take(page, isNews)
    })
    return true
  } catch (error) {
    for (const follower of group) if (followers.has(follower)) follower.fail(error)
    return false
  }
}

/**
 * Those who are behind and can be told, by where they stand; they are busy from here on. In slices: to look at 10,000
 * takes 20 ms.
 */
async function groupsOf(
  followers: ReadonlySet<Follower>,
  changes: () => number,
): Promise<readonly (readonly Follower[])[]> {
  const slices = createSlices()
  const groups = new Map<string, Follower[]>()
  const keys = new Map<Position, string>()
  for (const follower of followers) {
    if (slices.isDue()) await slices.pause()
    const { position, seen, isBusy } = follower
    if (seen === changes() || isBusy) continue
    if (!follower.isReady()) {
      follower.lag()
      continue
    }
    follower.isBusy = true
    // Those who were told the same have the same position.
    const key = keys.get(position) ?? placeKey(position)
    keys.set(position, key)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [follower])
    else group.push(follower)
  }
  return [...groups.values()]
}
