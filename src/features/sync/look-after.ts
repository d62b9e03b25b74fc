import { TRUST_LIMITS } from '../../platform/limits.js'
import type { Follower } from './channel.js'
import type { FanOut } from './fan-out.js'
import { SYNC_LIMITS } from './limits.js'
import { NO_HEAD } from './page.js'
import type { SyncStore, WatchedHead } from './store.js'
import type { Watchers } from './watchers.js'

/** The keys of these that do not hold any more, or got a project since they had none. */
export type FindChangedKeys = (keys: {
  readonly ids: readonly string[]
  readonly newHashes: readonly string[]
}) => Promise<{ readonly ids: ReadonlySet<string>; readonly newHashes: ReadonlySet<string> }>

export type LookAfterDeps = {
  readonly watchers: Watchers
  readonly fanOut: FanOut
  readonly readHeads: SyncStore['readHeads']
  readonly findChangedKeys: FindChangedKeys
  /** How old our knowledge of what other instances committed may be, in milliseconds. */
  readonly ageMs: () => number
}

export type LookAfter = {
  /** Messages may have been missed. */
  suspectAll(): void
  /** A key changed. */
  suspectKeys(): void
  /** Finds out what messages did not tell, if some may be missing, and tries again what failed. */
  look(): Promise<void>
}

/**
 * Messages wake watchers. While they cannot be trusted, the watched heads are asked for instead, all in one query, and so
 * are the watchers' keys, as they are after each message about a key: a watcher outlives its key by no more than seconds.
 */
export function createLookAfter(deps: LookAfterDeps): LookAfter {
  const { watchers, fanOut, readHeads, findChangedKeys, ageMs } = deps
  const heads = createSuspicion()
  const keys = createSuspicion()
  let looks = 0

  const lookAtHeads = async (): Promise<void> => {
    const known = new Map<string, WatchedHead>()
    for (const head of await readHeads(watchers.projectIds())) known.set(head.projectId, head)
    for (const projectId of watchers.projectIds()) {
      const head = known.get(projectId) ?? { projectId, ...NO_HEAD }
      for (const channel of watchers.channelsOf(projectId)) if (!channel.isAt(head)) channel.change(false)
    }
  }

  const lookAtKeys = async (): Promise<void> => {
    const { ids, newHashes } = await findChangedKeys(keysOf(watchers))
    const isChanged = ({ key }: Follower) =>
      (key.id !== null && ids.has(key.id)) || (key.newHash !== undefined && newHashes.has(key.newHash))
    const dismissed: Follower[] = []
    for (const channel of watchers.channels()) dismissed.push(...[...channel.followers].filter(isChanged))
    await fanOut.tellAll(dismissed, (follower) => follower.dismiss())
  }

  return {
    suspectAll: () => {
      heads.raise()
      keys.raise()
    },
    suspectKeys: keys.raise,
    look: async () => {
      if (watchers.count() === 0) return
      for (const channel of watchers.channels()) channel.run()
      const isTrusted = ageMs() < TRUST_LIMITS.aliasesTrustedMs
      await heads.settle(lookAtHeads, !isTrusted)
      looks += 1
      // Now and then whatever was heard: a key may be revoked while its request is being let in.
      await keys.settle(lookAtKeys, !isTrusted || looks % SYNC_LIMITS.looksPerKeyCheckMax === 0)
    },
  }
}

/** Something to find out. What is raised while it is being found out is found out anew. */
function createSuspicion() {
  let raised = 0
  let settled = 0
  return {
    raise: (): void => {
      raised += 1
    },
    settle: async (findOut: () => Promise<void>, always: boolean): Promise<void> => {
      if (raised === settled && !always) return
      const upTo = raised
      await findOut()
      settled = upTo
    },
  }
}

function keysOf(watchers: Watchers) {
  const ids = new Set<string>()
  const newHashes = new Set<string>()
  for (const channel of watchers.channels()) {
    for (const { key } of channel.followers) {
      if (key.id !== null) ids.add(key.id)
      if (key.newHash !== undefined) newHashes.add(key.newHash)
    }
  }
  return { ids: [...ids], newHashes: [...newHashes] }
}
