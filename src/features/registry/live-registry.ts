import type { Clock } from '../../platform/clock.js'
import { deadline } from '../../platform/deadline.js'
import { every } from '../../platform/every.js'
import { describeError, type Logger } from '../../platform/logger.js'
import { BUNDLED_AT } from './bundled-registry.js'
import { type Copies, type Copy, type RegistrySnapshot, takeSnapshot } from './copies.js'
import { REGISTRY_LIMITS } from './limits.js'
import type { ProviderName } from './providers.js'
import type { ProviderFile, RegistryFile } from './registry-file.js'
import { createRoundReport } from './report.js'
import type { KeptFiles } from './store.js'

export type LiveDeps = {
  readonly copies: Copies
  readonly kept: Pick<KeptFiles, 'newest'>
  /** The bundled files; none if they are not wanted. */
  readonly bundled: () => Promise<readonly ProviderFile[]>
  readonly clock: Clock
  readonly logger: Logger
  readonly fetchMsMax: number
}

/** The copies, refreshed in the background, and the snapshot that is in force. */
export type LiveRegistry = {
  snapshot(): RegistrySnapshot
  /** Starts a round in the background if a copy is due and none is under way. Costs next to nothing otherwise. */
  tick(): void
  /** Waits for the first round, bounded; undefined if it is over or the origin's files are all there already. */
  firstRound(): Promise<void> | undefined
  /** The newest version that is known of a provider; before the first round a bundled one counts already. */
  version(provider: ProviderName): number | undefined
  /** The file that says so. */
  file(provider: ProviderName): ProviderFile | undefined
  /** `callback` runs after each load of new content. One that throws is logged and does not stop the others. */
  onLoaded(callback: () => void): void
  /** How many loads of new content there were. */
  loads(): number
  /** Takes the last good copies from Postgres, so that a start with the origin down serves; then looks on its own. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * One round at a time: all copies that are due are fetched in parallel, and each is published when it is there. What
 * the origin does not give is looked for in Postgres, where another instance or an import may have put a newer file.
 * The bundled files take the place of what is still missing when the first round is over: a request that comes before
 * waits, so that nothing is priced by old facts only because it came early.
 */
export function openLiveRegistry(deps: LiveDeps): LiveRegistry {
  const { copies, logger } = deps
  const published = createPublished(copies, logger)
  let bundled: readonly ProviderFile[] = []
  const fallBack = (): void => {
    const taken = bundled.filter((file) => copies.providers[file.provider].fallBack(file, BUNDLED_AT))
    if (taken.length > 0) published.renew(true)
  }
  const rounds = createRounds(deps, published.renew, fallBack)
  const { heartbeatMs, firstLoadMarginMs, firstLoadMsMax } = REGISTRY_LIMITS
  const heartbeat = every({ name: 'look for due registry files', run: rounds.tick, pauseMs: heartbeatMs, logger })
  const awaitFirstRound = async (): Promise<void> => {
    rounds.tick()
    const msMax = Math.min(deps.fetchMsMax + firstLoadMarginMs, firstLoadMsMax)
    await deadline(rounds.underWay() ?? Promise.resolve(), msMax).catch(() => undefined)
    fallBack()
  }

  const file = (provider: ProviderName) =>
    copies.providers[provider].state().file ?? bundled.find((one) => one.provider === provider)

  return {
    snapshot: published.snapshot,
    tick: rounds.tick,
    firstRound: () => (rounds.isFirstOver() || published.snapshot().complete ? undefined : awaitFirstRound()),
    version: (provider) => file(provider)?.version,
    file,
    onLoaded: published.onLoaded,
    loads: published.loads,
    start: async () => {
      await restore(deps, copies.all)
      published.renew(takeSnapshot(copies.providers).files.length > 0)
      if (!published.snapshot().complete) bundled = await deps.bundled()
      await heartbeat.start()
    },
    close: async () => {
      rounds.beginNoMore()
      await heartbeat.stop()
      await rounds.underWay()
    },
  }
}

/** The snapshot that is in force, and who wants to hear of a new one. */
function createPublished(copies: Copies, logger: Logger) {
  const callbacks: (() => void)[] = []
  let snapshot = takeSnapshot(copies.providers)
  let loads = 0
  return {
    snapshot: () => snapshot,
    loads: () => loads,
    onLoaded: (callback: () => void): void => void callbacks.push(callback),
    renew: (hasNewContent: boolean): void => {
      snapshot = takeSnapshot(copies.providers)
      if (!hasNewContent) return
      loads += 1
      callAll(callbacks, logger)
    },
  }
}

/** `onOver` runs when a round is over, before the round is reported. */
function createRounds(deps: LiveDeps, renew: (hasNewContent: boolean) => void, onOver: () => void) {
  const { copies, clock } = deps
  const reportRound = createRoundReport(deps.logger)
  let round: Promise<void> | undefined
  let isFirstOver = false
  let closed = false

  const run = async (due: readonly Copy<RegistryFile>[]): Promise<void> => {
    try {
      await Promise.all(due.map(async (copy) => renew((await copy.refresh()) && copy !== copies.manifest)))
      const failed = due.filter((copy) => copy.state().failure !== undefined)
      renew(await restore(deps, failed))
    } finally {
      isFirstOver = true
      round = undefined
      onOver()
      // What the end of the service breaks off is no failure of the origin.
      if (!closed) reportRound(due)
    }
  }

  return {
    underWay: () => round,
    isFirstOver: () => isFirstOver,
    tick: (): void => {
      if (round !== undefined || closed) return
      const now = clock()
      const due = copies.all.filter((copy) => copy.state().dueAt <= now)
      if (due.length > 0) round = run(due)
    },
    beginNoMore: (): void => {
      closed = true
    },
  }
}

/** Takes over what Postgres has of these that is newer. Returns whether a provider's models are new. */
async function restore({ kept, copies }: LiveDeps, wanted: readonly Copy<RegistryFile>[]): Promise<boolean> {
  if (wanted.length === 0) return false
  const files = await kept.newest(wanted.map(({ target }) => target.path))
  const restored = wanted.filter((copy) => {
    const file = files.find(({ path }) => path === copy.target.path)
    return file !== undefined && copy.restore(file)
  })
  return restored.some((copy) => copy !== copies.manifest)
}

function callAll(callbacks: readonly (() => void)[], logger: Logger): void {
  for (const callback of callbacks) {
    try {
      callback()
    } catch (error) {
      logger.error({ error: describeError(error) }, 'registry listener failed')
    }
  }
}
