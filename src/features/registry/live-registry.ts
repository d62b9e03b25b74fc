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
  /** `callback` runs after each load of new content. One that throws is logged and does not stop the others. */
  onLoaded(callback: () => void): void
  /** Takes the last good copies from Postgres, so that a start with the origin down serves; then looks on its own. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * One round at a time: all copies that are due are fetched in parallel, and each is published when it is there. What the
 * origin does not give is looked for in Postgres, where another instance or an import may have put a newer file. The
 * bundled files take the place of what is still missing when the first round is over: a request that comes before waits,
 * so that nothing is priced by old facts only because it came early.
 */
export function openLiveRegistry(deps: LiveDeps): LiveRegistry {
  const { copies, clock } = deps
  const callbacks: (() => void)[] = []
  const firstLoadMsMax = Math.min(deps.fetchMsMax + REGISTRY_LIMITS.firstLoadMarginMs, REGISTRY_LIMITS.firstLoadMsMax)
  const reportRound = createRoundReport(deps.logger)
  let bundled: readonly ProviderFile[] = []
  let snapshot = takeSnapshot(copies.providers)
  let round: Promise<void> | undefined
  let roundsDone = 0
  let closed = false

  const publish = (isNew: boolean): void => {
    snapshot = takeSnapshot(copies.providers)
    if (isNew) callAll(callbacks, deps.logger)
  }
  const fallBack = (): void => {
    if (bundled.filter((file) => copies.providers[file.provider].fallBack(file, BUNDLED_AT)).length > 0) publish(true)
  }
  const runRound = async (due: readonly Copy<RegistryFile>[]): Promise<void> => {
    try {
      await Promise.all(due.map(async (copy) => publish((await copy.refresh()) && copy !== copies.manifest)))
      const failed = due.filter((copy) => copy.state().failure !== undefined)
      publish(await restore(deps, failed))
    } finally {
      roundsDone += 1
      round = undefined
      fallBack()
      reportRound(due)
    }
  }
  const tick = (): void => {
    if (round !== undefined || closed) return
    const now = clock()
    const isDue = (copy: Copy<RegistryFile>) => copy.state().dueAt <= now
    if (copies.all.some(isDue)) round = runRound(copies.all.filter(isDue))
  }
  const heartbeat = every({
    name: 'look for due registry files',
    run: tick,
    pauseMs: REGISTRY_LIMITS.heartbeatMs,
    logger: deps.logger,
  })
  const awaitFirstRound = async (): Promise<void> => {
    tick()
    await deadline(round ?? Promise.resolve(), firstLoadMsMax).catch(() => undefined)
    fallBack()
  }

  return {
    snapshot: () => snapshot,
    tick,
    firstRound: () => (roundsDone > 0 || snapshot.complete ? undefined : awaitFirstRound()),
    version: (provider) => {
      const file = copies.providers[provider].state().file ?? bundled.find((one) => one.provider === provider)
      return file?.version
    },
    onLoaded: (callback) => void callbacks.push(callback),
    start: async () => {
      await restore(deps, copies.all)
      publish(takeSnapshot(copies.providers).files.length > 0)
      if (!snapshot.complete) bundled = await deps.bundled()
      await heartbeat.start()
    },
    close: async () => {
      closed = true
      await heartbeat.stop()
      await round
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
