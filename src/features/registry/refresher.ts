import type { Clock } from '../../platform/clock.js'
import { within } from '../../platform/lifecycle.js'
import type { Copy } from './copy.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { RegistryFile } from './registry-file.js'

export type Refresher = {
  /** Starts a round in the background where a copy is due and none is under way. Costs next to nothing otherwise. */
  tick(): void
  /** Starts looking on its own. */
  start(): void
  /** Waits for the first round, bounded; at once where it is over or `isComplete` says that nobody needs it. */
  firstRound(): Promise<void>
  /** Waits for the round under way, if there is one. */
  settled(): Promise<void>
  close(): Promise<void>
}

export type RefresherDeps = {
  readonly copies: readonly Copy<RegistryFile>[]
  readonly clock: Clock
  readonly firstLoadMsMax: number
  readonly isComplete: () => boolean
  /** Called after each attempt: the copy's state is another one now. */
  readonly onAttempt: (copy: Copy<RegistryFile>, isNew: boolean) => void
}

/** One round at a time: all copies that are due are fetched in parallel, and each is published when it is there. */
export function createRefresher(deps: RefresherDeps): Refresher {
  let round: Promise<void> | undefined
  let roundsDone = 0
  let closed = false
  let heartbeat: NodeJS.Timeout | undefined

  const runRound = async (due: readonly Copy<RegistryFile>[]): Promise<void> => {
    try {
      await Promise.all(due.map(async (copy) => deps.onAttempt(copy, await copy.refresh())))
    } finally {
      roundsDone += 1
      round = undefined
    }
  }

  const tick = (): void => {
    if (round !== undefined || closed) return
    const now = deps.clock()
    const due = deps.copies.filter((copy) => copy.state().dueAt <= now)
    if (due.length > 0) round = runRound(due)
  }

  return {
    tick,
    start: () => {
      tick()
      heartbeat ??= setInterval(tick, REGISTRY_LIMITS.heartbeatMs).unref()
    },
    firstRound: async () => {
      if (roundsDone > 0 || deps.isComplete()) return
      tick()
      await within(deps.firstLoadMsMax, round ?? Promise.resolve()).catch(() => undefined)
    },
    settled: () => round ?? Promise.resolve(),
    close: async () => {
      closed = true
      clearInterval(heartbeat)
      await round
    },
  }
}
