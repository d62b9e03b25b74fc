import { setTimeout as pause } from 'node:timers/promises'
import type { Cluster, StartOptions } from './cluster.js'
import { givenUp } from './embedded-error.js'
import { EMBEDDED_LIMITS } from './limits.js'
import { type Claim, claimOwnership, type Ownership } from './ownership.js'
import { stopPostmaster } from './postmaster.js'
import { lookAtPostmaster } from './postmaster-pid.js'
import { createStarter } from './starter.js'

/** A live Postgres. Without `ownership` another process owns it. `spawned`: it is this call that started it. */
export type Held = { readonly port: number; readonly ownership: Ownership | undefined; readonly spawned: boolean }

/**
 * Finds the cluster's Postgres alive or starts it, and tries to own it. Looks at `postmaster.pid` again and again
 * rather than trusting what it did itself, because others may start and stop the same cluster meanwhile: of two
 * servers on one cluster, Postgres lets one live; of two services on one server, the lock lets one own.
 * Throws `start-failed`: it does not come up in time, the attempts are used up, or the signal was given.
 */
export async function acquire(cluster: Cluster, options: StartOptions): Promise<Held> {
  const deadline = performance.now() + EMBEDDED_LIMITS.startMsMax
  const starter = createStarter(cluster, options)
  let reason = 'It does not show itself.'
  for (;;) {
    const state = await lookAtPostmaster(cluster.place.clusterDir)
    if (state.status === 'live') {
      const visit = await claim(cluster, options, state.port)
      if (visit.status !== 'not-yet') return heldBy(visit, state.port, starter.isOurs(state.pid))
      reason = visit.reason
      await stopIfGivenUp(cluster, options, starter.isOurs(state.pid))
    }
    if (state.status === 'live' || !starter.isBusy()) {
      if (options.signal?.aborted) throw givenUp()
      if (state.status !== 'live') await starter.advance(state)
    }
    if (performance.now() > deadline) throw await starter.failure(reason)
    await pause(EMBEDDED_LIMITS.pollMs)
  }
}

/** At a first start it may be another service's that comes up at the same moment; at a restart it is ours by right. */
async function stopIfGivenUp(cluster: Cluster, options: StartOptions, isOurs: boolean): Promise<void> {
  if (options.signal?.aborted && (isOurs || options.port !== undefined)) await stopPostmaster(cluster.place.clusterDir)
}

function heldBy(visit: Exclude<Claim, { status: 'not-yet' }>, port: number, spawned: boolean): Held {
  return { port, ownership: visit.status === 'owned' ? visit.ownership : undefined, spawned }
}

async function claim(cluster: Cluster, options: StartOptions, port: number): Promise<Claim> {
  const visit = await claimOwnership(port, cluster.password, options.lockWaitMsMax, options.signal)
  if (visit.status !== 'owned' || options.port === undefined || options.port === port) return visit
  // Another process started it on another port while it was down, and ended. Clients know our port: it comes back
  // there.
  await stopPostmaster(cluster.place.clusterDir)
  await visit.ownership.release()
  return { status: 'not-yet', reason: 'It was on another port.' }
}
