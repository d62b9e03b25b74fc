import type { Clock } from '../../../platform/clock.js'
import { TRANSPARENCY_LIMITS } from '../limits.js'
import type { Lease, LeaseStore } from './lease-store.js'

export type WitnessLeaseDeps = {
  readonly store: LeaseStore
  /** This instance: a UUID. */
  readonly holder: string
  /** Milliseconds that never go back. */
  readonly now: Clock
  /** False while this instance must not speak for the log. */
  readonly mayHold: () => boolean
  /** Since when all that it submits fails, in milliseconds; null: not all does. */
  readonly failingSince: () => number | null
}

export type WitnessLease = {
  isHeld(): boolean
  /** Takes the lease if no instance has it, and renews its own. To be called often. */
  look(): Promise<void>
  release(): Promise<void>
}

const { witnessLeaseMs, witnessRenewMs } = TRANSPARENCY_LIMITS
const FREE: Lease = { holder: null, until: null }
const NEVER = Number.NEGATIVE_INFINITY

/**
 * That one instance at a time submits to the witnesses. One that ends without a word is replaced once its lease has
 * lapsed, and one whose submissions have all failed for as long lets another try: its network may be the reason. Two
 * that submit at the same moment do no harm, so an instance that was stopped for a while need not know it.
 */
export function createWitnessLease({ store, holder, now, mayHold, failingSince }: WitnessLeaseDeps): WitnessLease {
  let heldSince = NEVER
  let heldUntil = NEVER
  /** Until then others go first; if no other does, this instance goes on submitting. */
  let yieldsUntil = NEVER
  const drop = (): void => {
    heldUntil = NEVER
  }
  const isStuck = (): boolean => {
    const since = failingSince()
    return since !== null && now() - Math.max(since, heldSince) > witnessLeaseMs
  }
  const letOthersTry = async (seen: Lease): Promise<void> => {
    await store.replace(seen, FREE)
    yieldsUntil = now() + witnessLeaseMs
    heldUntil = yieldsUntil
  }
  const take = async (seen: Lease & { readonly at: Date }, askedAt: number): Promise<void> => {
    const until = new Date(seen.at.getTime() + witnessLeaseMs)
    const isTaken = await store.replace(seen, { holder, until })
    if (seen.holder !== holder) heldSince = askedAt
    heldUntil = isTaken ? askedAt + witnessLeaseMs : NEVER
  }
  const giveUp = async (seen: Lease): Promise<void> => {
    drop()
    if (seen.holder === holder) await store.replace(seen, FREE)
  }
  const look = async (): Promise<void> => {
    const askedAt = now()
    const seen = await store.read()
    if (seen === undefined) return
    const leftMs = remainingMs(seen)
    if (!mayHold()) return giveUp(seen)
    if (seen.holder !== holder) {
      if (leftMs > 0) drop()
      else if (askedAt >= yieldsUntil) await take(seen, askedAt)
    } else if (isStuck()) await letOthersTry(seen)
    else if (leftMs <= witnessRenewMs) await take(seen, askedAt)
  }
  return {
    isHeld: () => now() < heldUntil,
    look,
    release: async () => {
      const seen = await store.read()
      if (seen !== undefined) await giveUp(seen)
    },
  }
}

/** A time further ahead than any lease lasts was written by another clock, and holds nothing. */
function remainingMs({ until, at }: { readonly until: Date | null; readonly at: Date }): number {
  const ms = until === null ? 0 : until.getTime() - at.getTime()
  return ms > witnessLeaseMs ? 0 : ms
}
