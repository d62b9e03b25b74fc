import { describe, expect, it } from 'vitest'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import type { Lease } from '../../src/features/transparency/witness/lease-store.js'
import { createWitnessLease } from '../../src/features/transparency/witness/witness-lease.js'

const { witnessLeaseMs, witnessRenewMs, witnessLookMs } = TRANSPARENCY_LIMITS
const START = Date.parse('2026-01-01T00:00:00.000Z')

/** One row of one database, and instances whose clocks began at other moments. */
function openWorld() {
  let [ms, writes] = [0, 0]
  let row: Lease = { holder: null, until: null }
  const isSame = (one: Lease, other: Lease) =>
    one.holder === other.holder && one.until?.getTime() === other.until?.getTime()
  const store = {
    read: async () => ({ ...row, at: new Date(START + ms) }),
    replace: async (read: Lease, meant: Lease) => {
      if (!isSame(read, row)) return false
      writes += 1
      row = meant
      return true
    },
  }
  const open = (holder: string) => {
    const beganAt = Math.random() * 1e6
    const state = { isBarred: false, failingSinceMs: null as number | null }
    const lease = createWitnessLease({
      ...{ store, holder, now: () => beganAt + ms, mayHold: () => !state.isBarred },
      failingSince: () => (state.failingSinceMs === null ? null : beganAt + state.failingSinceMs),
    })
    return { ...lease, state }
  }
  return {
    ...{ open, store },
    row: () => row,
    write: (lease: Lease) => {
      row = lease
    },
    writes: () => writes,
    now: () => ms,
    spend: (more: number) => {
      ms += more
    },
  }
}

/** Lets instances look once a second for so long; at which of those moments which of them submitted. */
async function run(
  world: ReturnType<typeof openWorld>,
  forMs: number,
  ...instances: readonly ReturnType<ReturnType<typeof openWorld>['open']>[]
): Promise<readonly boolean[][]> {
  const held: boolean[][] = []
  for (let at = 0; at < forMs; at += witnessLookMs) {
    for (const instance of instances) await instance.look()
    held.push(instances.map((instance) => instance.isHeld()))
    world.spend(witnessLookMs)
  }
  return held
}

describe('which instance submits to the witnesses', () => {
  it('is one at a time, the same one as long as it looks', async () => {
    const world = openWorld()
    const [one, other] = [world.open('one'), world.open('other')]
    expect(one.isHeld()).toBe(false)
    const held = await run(world, witnessLeaseMs * 3, one, other)
    expect(held.every(([first, second]) => first && !second)).toBe(true)
  })

  it('is written down no oftener than it must be renewed', async () => {
    const world = openWorld()
    await run(world, witnessLeaseMs * 3, world.open('one'), world.open('other'))
    expect(world.writes()).toBeLessThanOrEqual(Math.ceil((witnessLeaseMs * 3) / (witnessLeaseMs - witnessRenewMs)))
  })

  it('is another one once the lease of the first has lapsed, and not before', async () => {
    const world = openWorld()
    const [one, other] = [world.open('one'), world.open('other')]
    await run(world, 3_000, one, other)
    const lapsesIn = (world.row().until?.getTime() ?? 0) - START - world.now()
    expect(lapsesIn).toBeGreaterThan(0)
    const held = await run(world, witnessLeaseMs * 2, other)
    expect(held.findIndex(([isIts]) => isIts)).toBe(Math.ceil(lapsesIn / witnessLookMs))
    // The first one knows by its own clock that it is over, and finds the other when it looks again.
    expect(one.isHeld()).toBe(false)
    await one.look()
    expect([one.isHeld(), other.isHeld()]).toEqual([false, true])
  })

  it('is another one at once where the first gives it back', async () => {
    const world = openWorld()
    const [one, other] = [world.open('one'), world.open('other')]
    await run(world, 3_000, one, other)
    await one.release()
    expect(one.isHeld()).toBe(false)
    await other.look()
    expect(other.isHeld()).toBe(true)
    // What is not its own it does not give back.
    await one.release()
    expect(world.row().holder).toBe('other')
  })

  it('is none that signs nothing', async () => {
    const world = openWorld()
    const [one, other] = [world.open('one'), world.open('other')]
    await run(world, 3_000, one, other)
    one.state.isBarred = true
    await run(world, 2_000, one, other)
    expect([one.isHeld(), other.isHeld()]).toEqual([false, true])
    other.state.isBarred = true
    await run(world, 2_000, one, other)
    expect([one.isHeld(), other.isHeld(), world.row().holder]).toEqual([false, false, null])
    one.state.isBarred = false
    await one.look()
    expect(one.isHeld()).toBe(true)
  })

  it('is one of two that look at the same moment', async () => {
    const world = openWorld()
    const instances = Array.from({ length: 8 }, (_, at) => world.open(`instance ${at}`))
    await Promise.all(instances.map((instance) => instance.look()))
    expect(instances.filter((instance) => instance.isHeld())).toHaveLength(1)
  })

  it('does not hang on a lease that ends further ahead than any lasts', async () => {
    const world = openWorld()
    world.write({ holder: 'of a database with another clock', until: new Date(START + 86_400_000) })
    const one = world.open('one')
    await one.look()
    expect(one.isHeld()).toBe(true)
  })

  it('is none before there is a log', async () => {
    const world = openWorld()
    const store = { ...world.store, read: async () => undefined }
    const failing = { mayHold: () => true, failingSince: () => null }
    const lease = createWitnessLease({ ...failing, store, holder: 'one', now: () => 0 })
    await lease.look()
    await lease.release()
    expect([lease.isHeld(), world.writes()]).toEqual([false, 0])
  })
})

describe('an instance whose submissions have all failed for as long as a lease', () => {
  it('lets another one try', async () => {
    const world = openWorld()
    const [one, other] = [world.open('one'), world.open('other')]
    await run(world, 3_000, one, other)
    one.state.failingSinceMs = world.now()
    expect((await run(world, witnessLeaseMs, one, other)).every(([isIts]) => isIts)).toBe(true)
    await run(world, 3_000, one, other)
    expect([one.isHeld(), other.isHeld()]).toEqual([false, true])
    await run(world, witnessLeaseMs * 3, one, other)
    expect([one.isHeld(), other.isHeld()]).toEqual([false, true])
  })

  it('goes on itself while there is no other', async () => {
    const world = openWorld()
    const one = world.open('one')
    await run(world, 3_000, one)
    one.state.failingSinceMs = world.now()
    const held = await run(world, witnessLeaseMs * 5, one)
    expect(held.every(([isIts]) => isIts)).toBe(true)
  })

  it('has as long again when its turn comes again', async () => {
    const world = openWorld()
    const [one, other] = [world.open('one'), world.open('other')]
    await run(world, 3_000, one, other)
    for (const { state } of [one, other]) state.failingSinceMs = world.now()
    const held = await run(world, witnessLeaseMs * 8, one, other)
    expect(held.every((both) => both.includes(true))).toBe(true)
    const turns = held.filter((both, at) => at > 0 && both[0] !== held[at - 1]?.[0])
    expect(turns.length).toBeGreaterThanOrEqual(5)
    expect(turns.length).toBeLessThanOrEqual(8)
  })
})
