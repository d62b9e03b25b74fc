import type { Cluster, StartOptions } from './cluster.js'
import { EmbeddedError, messageOf } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'
import { freePort, type Postmaster, spawnPostmaster } from './postmaster.js'
import { type PostmasterState, removePidFile } from './postmaster-pid.js'
import { readLogSince, sizeOfLog } from './server-log.js'

/** Starts a cluster that is not running: one attempt at a time, further apart each time. */
export type Starter = {
  /** Does what is due now and returns; to be called again while nothing is live. Throws `start-failed`. */
  advance(state: PostmasterState): Promise<void>
  /** Whether a Postgres that we started has neither ended nor shown itself yet. */
  isBusy(): boolean
  isOurs(pid: number): boolean
  failure(reason: string): Promise<EmbeddedError>
}

const NEVER_RAN: Postmaster = { pid: 0, running: () => false }

/** Milliseconds to wait before attempt number `attempt` (0 is the first repetition). */
export function backoffMs(attempt: number): number {
  return Math.min(EMBEDDED_LIMITS.backoffMsMin * 2 ** attempt, EMBEDDED_LIMITS.backoffMsMax)
}

/** A starter for one cluster. Nothing happens before the first `advance`. */
export function createStarter(cluster: Cluster, options: Pick<StartOptions, 'port' | 'spawnAttemptsMax'>): Starter {
  let child: Postmaster | undefined
  let lastFailure = 'It ended at once.'
  let attempts = 0
  let notBefore = 0
  let logBytesBefore = 0
  let unfinishedSince: number | undefined

  const failure = (reason: string) => describeFailure(cluster, reason, logBytesBefore)

  /** Whether what is in the way is out of it. */
  const clearWay = async (state: PostmasterState) => {
    if (state.status !== 'unfinished') unfinishedSince = undefined
    if (state.status === 'stale' && state.pidTaken) await removePidFile(cluster.place.clusterDir, state.text)
    if (state.status !== 'unfinished') return
    unfinishedSince ??= performance.now()
    if (performance.now() - unfinishedSince < EMBEDDED_LIMITS.pidFileEmptyMsMax) return
    await removePidFile(cluster.place.clusterDir, state.text)
  }

  return {
    failure,
    isBusy: () => child?.running() ?? false,
    isOurs: (pid) => child?.pid === pid,
    advance: async (state) => {
      if (child !== undefined) {
        child = undefined
        notBefore = performance.now() + backoffMs(attempts - 1)
        if (attempts >= options.spawnAttemptsMax) throw await failure(lastFailure)
        lastFailure = 'It ended at once.'
      }
      if (performance.now() < notBefore) return
      await clearWay(state)
      if (state.status === 'unfinished') return
      attempts += 1
      logBytesBefore = await sizeOfLog(cluster.place.logFile)
      const port = options.port ?? (await freePort())
      // No memory for another process, or an installation that is just being replaced: the next attempt may succeed.
      child = await spawnPostmaster(cluster.place, cluster.binaries, port).catch((error: unknown) => {
        lastFailure = messageOf(error)
        return NEVER_RAN
      })
    },
  }
}

/** Why a start failed, with what the server has logged since. */
async function describeFailure({ place }: Cluster, reason: string, logBytesBefore: number): Promise<EmbeddedError> {
  const logged = await readLogSince(place.logFile, logBytesBefore)
  const ending = logged === '' ? '' : `\nIts log (${place.logFile}) ends:\n${logged}`
  return new EmbeddedError('start-failed', `PostgreSQL does not start in ${place.dir}. ${reason}${ending}`)
}
