import { describe, expect, it, vi } from 'vitest'
import { createSuspension, type SuspensionReason } from '../../src/features/transparency/guard/suspension.js'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import { createPublished } from '../../src/features/transparency/published.js'
import { createTiles } from '../../src/features/transparency/serve/tiles.js'
import { createWaiters } from '../../src/features/transparency/serve/wait-logged.js'
import { AppError } from '../../src/platform/errors.js'

const entryOf = (mark: number) => new Uint8Array(32).fill(mark)
const hexOf = (mark: number) => Buffer.from(entryOf(mark)).toString('hex')
const settled = async (promise: Promise<unknown>) => {
  const pending = Symbol('pending')
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending ? 'pending' : await promise
}

/** Entries that are sequenced, and how large the published tree is. */
function openWaiters() {
  const indices = new Map<string, number>()
  const world = { size: 0, asked: [] as (readonly string[])[], isAway: false }
  const waiters = createWaiters({
    publishedSize: () => world.size,
    findIndices: async (entries) => {
      world.asked.push(entries)
      if (world.isAway) throw new Error('away')
      return new Map(entries.flatMap((entry) => (indices.has(entry) ? [[entry, indices.get(entry) ?? 0]] : [])))
    },
  })
  return { world, indices, waiters }
}

describe('whoever waits for a checkpoint', () => {
  it('is told once one covers the entry, and not before', async () => {
    const { world, indices, waiters } = openWaiters()
    const waiting = waiters.wait(entryOf(1), 10_000)
    expect(await settled(waiting)).toBe('pending')
    indices.set(hexOf(1), 4)
    world.size = 4
    waiters.look()
    expect(await settled(waiting)).toBe('pending')
    world.size = 5
    waiters.look()
    expect(await waiting).toBe(true)
    expect(waiters.count()).toBe(0)
  })

  it('is told at once if one covers the entry already', async () => {
    const { world, indices, waiters } = openWaiters()
    indices.set(hexOf(1), 0)
    world.size = 1
    expect(await waiters.wait(entryOf(1), 10_000)).toBe(true)
  })

  it('is asked about once: an index that is known stays known', async () => {
    const { world, indices, waiters } = openWaiters()
    indices.set(hexOf(1), 4)
    const waiting = waiters.wait(entryOf(1), 10_000)
    expect(await settled(waiting)).toBe('pending')
    for (let turn = 0; turn < 3; turn += 1) {
      waiters.look()
      await settled(waiting)
    }
    expect(world.asked).toHaveLength(1)
    world.size = 5
    waiters.look()
    expect(await waiting).toBe(true)
  })

  it('is told no at the deadline, when the client leaves, and when the service stops', async () => {
    const { waiters } = openWaiters()
    expect(await waiters.wait(entryOf(1), 1)).toBe(false)
    expect(await waiters.wait(entryOf(1), 0)).toBe(false)
    const leaving = new AbortController()
    const left = waiters.wait(entryOf(1), 10_000, leaving.signal)
    leaving.abort()
    expect(await left).toBe(false)
    expect(await waiters.wait(entryOf(1), 10_000, leaving.signal)).toBe(false)
    const stopped = waiters.wait(entryOf(1), 10_000)
    waiters.close()
    expect(await stopped).toBe(false)
    expect(waiters.count()).toBe(0)
  })

  it('waits on while the database is away', async () => {
    const { world, indices, waiters } = openWaiters()
    world.isAway = true
    const waiting = waiters.wait(entryOf(1), 10_000)
    expect(await settled(waiting)).toBe('pending')
    world.isAway = false
    indices.set(hexOf(1), 0)
    world.size = 1
    waiters.look()
    expect(await waiting).toBe(true)
  })

  it('is looked up with all others in one question, and those beyond its limit in the next', async () => {
    const { world, waiters } = openWaiters()
    const count = TRANSPARENCY_LIMITS.lookEntriesMax + 5
    const waiting = Array.from({ length: count }, () => waiters.wait(entryOf(7), 10_000))
    await settled(Promise.all(waiting))
    waiters.look()
    await settled(Promise.all(waiting))
    const asked = world.asked.map(({ length }) => length)
    expect(Math.max(...asked)).toBe(TRANSPARENCY_LIMITS.lookEntriesMax)
    expect(asked.length).toBeLessThan(6)
    waiters.close()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([false]))
  })

  it('is refused beyond the limit', () => {
    const { waiters } = openWaiters()
    for (let at = 0; at < TRANSPARENCY_LIMITS.waitersMax; at += 1) void waiters.wait(entryOf(1), 60_000)
    expect(() => waiters.wait(entryOf(1), 60_000)).toThrow(AppError)
    waiters.close()
  })

  it('costs nothing while there is none', () => {
    const { world, waiters } = openWaiters()
    waiters.look()
    expect(world.asked).toEqual([])
  })
})

describe('the published checkpoint', () => {
  const root = new Uint8Array(32)
  const of = (size: number, witnesses: number) => ({ size, root, witnesses, note: `${size} ${witnesses}` })

  it('goes forward only: to larger trees, and to more cosignatures', () => {
    const published = createPublished(() => 0)
    const heard: string[] = []
    published.onAdvance(({ size, witnesses }) => heard.push(`${size} ${witnesses}`))
    const steps = [of(0, 0), of(5, 0), of(5, 0), of(4, 9), of(5, 2), of(5, 1), of(6, 0), of(6, 0)]
    expect(steps.map(published.advance)).toEqual([true, true, false, false, true, false, true, false])
    expect(heard).toEqual(['0 0', '5 0', '5 2', '6 0'])
    expect(new TextDecoder().decode(published.current()?.note)).toBe('6 0')
  })

  it('has another validator whenever its bytes are others, and the age of its size', () => {
    let now = 1
    const published = createPublished(() => now)
    published.advance(of(5, 0))
    const first = published.current()
    now = 7
    published.advance(of(5, 1))
    expect(published.current()).toMatchObject({ since: 1, witnesses: 1 })
    expect(published.current()?.etag).not.toBe(first?.etag)
  })
})

describe('a suspension', () => {
  it('is told once, with the history before the speed, and refuses with a code', () => {
    const heard: (SuspensionReason | null)[] = []
    const suspension = createSuspension((reason) => heard.push(reason))
    expect(() => suspension.refuse()).not.toThrow()
    suspension.lag(true)
    suspension.lag(true)
    expect(() => suspension.refuse()).toThrow(expect.objectContaining({ code: 'log-suspended' }))
    expect(() => suspension.refuseWhileBarred()).not.toThrow()
    suspension.bar('forked')
    expect(() => suspension.refuseWhileBarred()).toThrow(expect.objectContaining({ code: 'log-suspended' }))
    expect([suspension.reason(), suspension.isBarred()]).toEqual(['forked', true])
    suspension.lag(false)
    suspension.bar(null)
    expect(heard).toEqual(['lagging', 'forked', null])
    expect(suspension.reason()).toBeNull()
  })
})

describe('tiles', () => {
  const full = new Uint8Array(8_192).fill(1)
  const part = new Uint8Array(64).fill(2)

  it('that are full are read once, and partial ones each time', async () => {
    const read = vi.fn(async (wanted: readonly { level: number; index: number }[]) =>
      wanted.map((tile) => ({ ...tile, hashes: tile.index === 0 ? full : part })),
    )
    const tiles = createTiles({ read })
    const wanted = [
      { level: 0, index: 0, width: 256 },
      { level: 0, index: 1, width: 2 },
    ]
    for (let turn = 0; turn < 3; turn += 1) expect(await tiles.read(wanted)).toEqual([full, part])
    expect(read.mock.calls.map(([asked]) => asked.length)).toEqual([2, 1, 1])
    expect(tiles.recall({ level: 0, index: 0 })).toEqual(full)
    expect(tiles.recall({ level: 0, index: 1 })).toBeUndefined()
    tiles.forget()
    expect(tiles.recall({ level: 0, index: 0 })).toBeUndefined()
  })

  it('that are not there are null, in the order of the question', async () => {
    const tiles = createTiles({ read: async () => [{ level: 1, index: 0, hashes: part }] })
    const wanted = [
      { level: 0, index: 9, width: 1 },
      { level: 1, index: 0, width: 2 },
    ]
    expect(await tiles.read(wanted)).toEqual([null, part])
  })

  it('that give way to new ones are still given to whoever asked for both', async () => {
    const read = async (wanted: readonly { level: number; index: number }[]) =>
      wanted.map((tile) => ({ ...tile, hashes: full }))
    const tiles = createTiles({ read })
    const kept = Math.floor(TRANSPARENCY_LIMITS.tileCacheBytesMax / full.length)
    const place = (index: number) => ({ level: 0, index, width: 256 })
    await tiles.read(Array.from({ length: kept }, (_, index) => place(index)))
    // The first is the one that was not used for the longest time, and the last is not in memory.
    expect(await tiles.read([place(0), place(kept)])).toEqual([full, full])
    expect(tiles.recall(place(kept))).toEqual(full)
  })

  it('that were asked for before they were forgotten do not come back', async () => {
    let answer = () => {}
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    const tiles = createTiles({
      read: async (wanted) => {
        await asked
        return wanted.map((tile) => ({ ...tile, hashes: full }))
      },
    })
    const reading = tiles.read([{ level: 0, index: 0, width: 256 }])
    tiles.forget()
    answer()
    await reading
    expect(tiles.recall({ level: 0, index: 0 })).toBeUndefined()
  })
})
