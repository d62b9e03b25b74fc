import { setTimeout as pause } from 'node:timers/promises'
import { givenUp } from './embedded-error.js'
import type { House, Terms } from './house.js'
import { embeddedLimits } from './limits.js'
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
export async function acquire(house: House, terms: Terms): Promise<Held> {
  const deadline = performance.now() + embeddedLimits.startMsMax
  const starter = createStarter(house, terms)
  let reason = 'It does not show itself.'
  for (;;) {
    const state = await lookAtPostmaster(house.place.clusterDir)
    if (state.kind === 'live') {
      const visit = await claim(house, terms, state.port)
      if (visit.kind !== 'not-yet') return heldBy(visit, state.port, starter.isOurs(state.pid))
      reason = visit.reason
      await stopIfGivenUp(house, terms, starter.isOurs(state.pid))
    }
    if (state.kind === 'live' || !starter.isBusy()) {
      if (terms.signal?.aborted) throw givenUp()
      if (state.kind !== 'live') await starter.advance(state)
    }
    if (performance.now() > deadline) throw await starter.failure(reason)
    await pause(embeddedLimits.pollMs)
  }
}

/** At a first start it may be another service's that comes up at the same moment; at a restart it is ours by right. */
async function stopIfGivenUp(house: House, terms: Terms, isOurs: boolean): Promise<void> {
  if (terms.signal?.aborted && (isOurs || terms.port !== undefined)) await stopPostmaster(house.place.clusterDir)
}

function heldBy(visit: Exclude<Claim, { kind: 'not-yet' }>, port: number, spawned: boolean): Held {
  return { port, ownership: visit.kind === 'owned' ? visit.ownership : undefined, spawned }
}

async function claim(house: House, terms: Terms, port: number): Promise<Claim> {
  const visit = await claimOwnership(port, house.password, terms.lockWaitMsMax, terms.signal)
  if (visit.kind !== 'owned' || terms.port === undefined || terms.port === port) return visit
  // Somebody started it elsewhere while it was down, and ended. Whoever knows our address needs it back there.
  await stopPostmaster(house.place.clusterDir)
  await visit.ownership.release()
  return { kind: 'not-yet', reason: 'It was on another port.' }
}
