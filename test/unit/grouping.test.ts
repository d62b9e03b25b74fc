import { describe, expect, it } from 'vitest'
import { createGrouping, type GroupingOptions } from '../../src/platform/grouping.js'

const LIMITS = {
  lanes: 1,
  groupItemsMax: 4,
  groupBytesMax: 1_000,
  queueItemsMax: 100,
  queueBytesMax: 10_000,
  ownerShareMax: 1,
}

type Held = { readonly items: readonly number[]; finish(): void; fail(error: unknown): void }

/** A grouping of numbers whose commits wait until the test finishes them; an answer is its number times ten. */
function createHeld(options: Partial<GroupingOptions<number, number>> = {}) {
  const held: Held[] = []
  const arrivals: (() => void)[] = []
  const grouping = createGrouping<number, number>({
    ...LIMITS,
    isItemFault: () => false,
    commit: (items) =>
      new Promise((resolve, reject) => {
        held.push({ items, finish: () => resolve(items.map((item) => item * 10)), fail: reject })
        for (const wake of arrivals.splice(0)) wake()
      }),
    ...options,
  })
  /** The n-th group that was given to commit, once there is one. */
  const group = async (index: number): Promise<Held> => {
    while (held.length <= index) await new Promise<void>((resolve) => arrivals.push(resolve))
    return held[index] as Held
  }
  return { grouping, group, held }
}

/** Lets everything happen that needs no outside event. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const refused = { code: 'overloaded', extras: { retryAfterSeconds: 1 } }

describe('groups', () => {
  it('hold what arrived while the lane was busy, in the order of arrival, up to groupItemsMax', async () => {
    const { grouping, group } = createHeld()
    const first = grouping.submit(1, 'p', 1)
    expect((await group(0)).items).toEqual([1])
    const rest = range(2, 7).map((item) => grouping.submit(item, 'p', 1))
    ;(await group(0)).finish()
    expect((await group(1)).items).toEqual([2, 3, 4, 5])
    ;(await group(1)).finish()
    expect((await group(2)).items).toEqual([6, 7])
    ;(await group(2)).finish()
    expect(await Promise.all([first, ...rest])).toEqual([10, 20, 30, 40, 50, 60, 70])
  })

  describe('while another one is in flight', () => {
    const besides = { lanes: 2, groupItemsMax: 10, companyItemsMin: 3, companyMsMax: 60_000 }

    it('begin once companyItemsMin items wait', async () => {
      const { grouping, group, held } = createHeld(besides)
      const all = [grouping.submit(1, 'p', 1)]
      expect((await group(0)).items).toEqual([1])
      all.push(grouping.submit(2, 'p', 1), grouping.submit(3, 'p', 1))
      await turns(3)
      expect(held.length).toBe(1)
      all.push(grouping.submit(4, 'p', 1))
      expect((await group(1)).items).toEqual([2, 3, 4])
      for (const { finish } of held) finish()
      expect(await Promise.all(all)).toEqual([10, 20, 30, 40])
    })

    it('begin once an item has waited companyMsMax, though the first one never ends', async () => {
      const { grouping, group } = createHeld({ ...besides, companyMsMax: 5 })
      void grouping.submit(1, 'p', 1)
      expect((await group(0)).items).toEqual([1])
      for (const [index, item] of [2, 3].entries()) {
        const answer = grouping.submit(item, 'p', 1)
        const next = await group(index + 1)
        expect(next.items).toEqual([item])
        next.finish()
        expect(await answer).toBe(10 * item)
      }
    })

    it('begin at once when that one ends', async () => {
      const { grouping, group } = createHeld(besides)
      const all = [grouping.submit(1, 'p', 1)]
      const first = await group(0)
      all.push(grouping.submit(2, 'p', 1))
      first.finish()
      const second = await group(1)
      expect(second.items).toEqual([2])
      second.finish()
      await Promise.all(all)
      await grouping.drain()
    })
  })

  it('take what is submitted in one turn together, without waiting for anybody else', async () => {
    const { grouping, group } = createHeld()
    const answers = [1, 2, 3].map((item) => grouping.submit(item, 'p', 1))
    const together = await group(0)
    expect(together.items).toEqual([1, 2, 3])
    together.finish()
    expect(await Promise.all(answers)).toEqual([10, 20, 30])
  })

  it('end before the item that would make them larger than groupBytesMax', async () => {
    const { grouping, group } = createHeld()
    const answers = [400, 600, 1, 999].map((bytes, index) => grouping.submit(index, 'p', bytes))
    expect((await group(0)).items).toEqual([0, 1])
    ;(await group(0)).finish()
    expect((await group(1)).items).toEqual([2, 3])
    ;(await group(1)).finish()
    await Promise.all(answers)
  })

  it('hold an item that is larger than groupBytesMax alone', async () => {
    const { grouping, group } = createHeld()
    const answers = [10, 5_000, 10].map((bytes, index) => grouping.submit(index, 'p', bytes))
    for (const index of [0, 1, 2]) {
      const alone = await group(index)
      expect(alone.items).toEqual([index])
      alone.finish()
    }
    await Promise.all(answers)
  })

  it('are in flight on as many lanes as there are, and no more', async () => {
    const { grouping, group, held } = createHeld({ lanes: 2, groupItemsMax: 1 })
    const answers = range(1, 5).map((item) => grouping.submit(item, 'p', 1))
    await group(1)
    await turns(10)
    expect(held.map(({ items }) => items)).toEqual([[1], [2]])
    expect(grouping.depth()).toBe(3)
    ;(await group(1)).finish()
    await turns(10)
    expect(held.map(({ items }) => items)).toEqual([[1], [2], [3]])
    for (const index of [0, 2, 3, 4]) (await group(index)).finish()
    expect(await Promise.all(answers)).toEqual([10, 20, 30, 40, 50])
  })
})

describe('the queue', () => {
  it('refuses an item beyond queueItemsMax and takes the next one once there is room', async () => {
    const { grouping, group } = createHeld({ queueItemsMax: 2 })
    const flying = grouping.submit(1, 'p', 1)
    await group(0)
    const queued = [grouping.submit(2, 'p', 1), grouping.submit(3, 'q', 1)]
    await expect(grouping.submit(4, 'r', 1)).rejects.toMatchObject(refused)
    ;(await group(0)).finish()
    await group(1)
    const later = grouping.submit(5, 'r', 1)
    ;(await group(1)).finish()
    ;(await group(2)).finish()
    expect(await Promise.all([flying, ...queued, later])).toEqual([10, 20, 30, 50])
  })

  it('refuses an item that would take it beyond queueBytesMax', async () => {
    const { grouping, group } = createHeld({ queueBytesMax: 100 })
    const flying = grouping.submit(1, 'p', 90)
    await group(0)
    const queued = grouping.submit(2, 'p', 60)
    await expect(grouping.submit(3, 'q', 41)).rejects.toMatchObject(refused)
    const fits = grouping.submit(4, 'q', 40)
    ;(await group(0)).finish()
    ;(await group(1)).finish()
    expect(await Promise.all([flying, queued, fits])).toEqual([10, 20, 40])
  })

  it("keeps an owner to its share of the items, so that another's requests still get in", async () => {
    const { grouping, group } = createHeld({ queueItemsMax: 10, ownerShareMax: 0.2 })
    const flying = grouping.submit(1, 'loud', 1)
    await group(0)
    const loud = [grouping.submit(2, 'loud', 1), grouping.submit(3, 'loud', 1)]
    await expect(grouping.submit(4, 'loud', 1)).rejects.toMatchObject(refused)
    const quiet = grouping.submit(5, 'quiet', 1)
    ;(await group(0)).finish()
    expect((await group(1)).items).toEqual([2, 3, 5])
    const again = grouping.submit(6, 'loud', 1)
    ;(await group(1)).finish()
    ;(await group(2)).finish()
    expect(await Promise.all([flying, ...loud, quiet, again])).toEqual([10, 20, 30, 50, 60])
  })

  it('keeps an owner to its share of the bytes, but lets one large item in', async () => {
    const { grouping, group } = createHeld({ queueBytesMax: 1_000, ownerShareMax: 0.1 })
    const flying = grouping.submit(1, 'p', 1)
    await group(0)
    const large = grouping.submit(2, 'loud', 800)
    await expect(grouping.submit(3, 'loud', 1)).rejects.toMatchObject(refused)
    const small = [grouping.submit(4, 'quiet', 50), grouping.submit(5, 'quiet', 50)]
    await expect(grouping.submit(6, 'quiet', 1)).rejects.toMatchObject(refused)
    ;(await group(0)).finish()
    ;(await group(1)).finish()
    expect(await Promise.all([flying, large, ...small])).toEqual([10, 20, 40, 50])
  })

  it('gives an owner that always has something queued its bytes back, group by group', async () => {
    const { grouping, group } = createHeld({ groupItemsMax: 1, queueBytesMax: 1_000, ownerShareMax: 0.3 })
    const answers = [grouping.submit(0, 'p', 100), grouping.submit(1, 'p', 100)]
    for (const index of range(0, 20)) {
      ;(await group(index)).finish()
      answers.push(grouping.submit(index + 2, 'p', 100))
    }
    ;(await group(21)).finish()
    ;(await group(22)).finish()
    expect(await Promise.all(answers)).toEqual(range(0, 22).map((item) => item * 10))
  })

  it('is empty again after any number of groups: nothing of a settled item counts against its owner', async () => {
    const { grouping } = createHeld({
      queueItemsMax: 3,
      queueBytesMax: 300,
      ownerShareMax: 1,
      commit: async (items) => items.map((item) => item * 10),
    })
    for (const item of range(1, 200)) {
      const owner = `p${item % 7}`
      expect(await Promise.all([1, 2, 3].map(() => grouping.submit(item, owner, 100)))).toEqual(
        Array(3).fill(item * 10),
      )
    }
    expect(grouping.depth()).toBe(0)
  })
})

describe('a failure', () => {
  it('of a group rejects all its items with that failure, and the next group is served', async () => {
    const { grouping, group } = createHeld()
    const failure = new Error('no connection')
    const lost = [1, 2, 3].map((item) => grouping.submit(item, 'p', 1))
    ;(await group(0)).fail(failure)
    expect(await Promise.allSettled(lost)).toEqual(Array(3).fill({ status: 'rejected', reason: failure }))
    const next = grouping.submit(4, 'p', 1)
    ;(await group(1)).finish()
    expect(await next).toBe(40)
  })

  it('that commit throws before it returns a promise is a failure like any other', async () => {
    const { grouping } = createHeld({
      commit: () => {
        throw new Error('broken')
      },
    })
    await expect(grouping.submit(1, 'p', 1)).rejects.toThrow('broken')
    await expect(grouping.submit(2, 'p', 1)).rejects.toThrow('broken')
  })

  it('to answer each item is a broken promise, never an undefined answer', async () => {
    const { grouping } = createHeld({ commit: async () => [10] })
    const answers = await Promise.allSettled([grouping.submit(1, 'p', 1), grouping.submit(2, 'p', 1)])
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringContaining('an answer for') },
      })
    }
  })

  it('of isItemFault itself rejects the group and leaves the lane alive', async () => {
    const { grouping } = createHeld({
      commit: () => Promise.reject(new Error('first')),
      isItemFault: () => {
        throw new Error('second')
      },
    })
    const answers = await Promise.allSettled([1, 2].map((item) => grouping.submit(item, 'p', 1)))
    expect(answers).toEqual(Array(2).fill({ status: 'rejected', reason: new Error('first') }))
    await expect(grouping.submit(3, 'p', 1)).rejects.toThrow('first')
  })
})

describe('poison', () => {
  const poisoned = (poison: ReadonlySet<number>, commits: number[][], groupItemsMax = 64) =>
    createGrouping<number, number>({
      ...LIMITS,
      groupItemsMax,
      isItemFault: (error) => error instanceof RangeError,
      commit: async (items) => {
        commits.push([...items])
        const found = items.find((item) => poison.has(item))
        if (found !== undefined) throw new RangeError(`poison ${found}`)
        return items.map((item) => item * 10)
      },
    })

  it('stands alone in the end: it is refused, and all the others are answered', async () => {
    const commits: number[][] = []
    const grouping = poisoned(new Set([5, 6, 30]), commits)
    const answers = await Promise.allSettled(range(0, 32).map((item) => grouping.submit(item, 'p', 1)))
    for (const [item, answer] of answers.entries()) {
      if ([5, 6, 30].includes(item)) {
        expect(answer).toEqual({ status: 'rejected', reason: new RangeError(`poison ${item}`) })
      } else expect(answer).toEqual({ status: 'fulfilled', value: item * 10 })
    }
  })

  it('costs about twice the logarithm of the group, and no item is committed twice', async () => {
    const commits: number[][] = []
    const grouping = poisoned(new Set([17]), commits)
    await Promise.allSettled(range(0, 63).map((item) => grouping.submit(item, 'p', 1)))
    expect(commits).toHaveLength(1 + 2 * 6)
    const committed = commits.filter((items) => !items.includes(17)).flat()
    expect(committed).toEqual(range(0, 63).filter((item) => item !== 17))
  })

  it('is not looked for where the failure is not the fault of an item', async () => {
    const commits: number[][] = []
    const grouping = createGrouping<number, number>({
      ...LIMITS,
      isItemFault: (error) => error instanceof RangeError,
      commit: async (items) => {
        commits.push([...items])
        throw new Error('disk full')
      },
    })
    await Promise.allSettled([1, 2, 3].map((item) => grouping.submit(item, 'p', 1)))
    expect(commits).toEqual([[1, 2, 3]])
  })
})

describe('an item that is not awaited', () => {
  const lingering = { companyItemsMin: 3, lingerMsMax: 60_000 }
  const linger = ({ grouping }: ReturnType<typeof createHeld>, items: readonly number[]) =>
    items.map((item) => grouping.keepRoom('p', 1).submit(item, 1, false))

  it('waits until there is company enough', async () => {
    const all = createHeld(lingering)
    const first = linger(all, [1, 2])
    await turns(10)
    expect(all.held).toHaveLength(0)
    const third = linger(all, [3])
    const group = await all.group(0)
    expect(group.items).toEqual([1, 2, 3])
    group.finish()
    expect(await Promise.all([...first, ...third])).toEqual([10, 20, 30])
  })

  it('goes with the next one that is', async () => {
    const all = createHeld(lingering)
    linger(all, [1])
    void all.grouping.submit(2, 'p', 1)
    expect((await all.group(0)).items).toEqual([1, 2])
  })

  it('begins a group once it has lingered', async () => {
    const all = createHeld({ ...lingering, lingerMsMax: 20 })
    linger(all, [1])
    await turns(3)
    linger(all, [2])
    const group = await all.group(0)
    expect(group.items).toEqual([1, 2])
    group.finish()
    linger(all, [3])
    expect((await all.group(1)).items).toEqual([3])
  })

  it('lingers, too, when a group has ended that it was too late for', async () => {
    const all = createHeld({ ...lingering, lingerMsMax: 20 })
    void all.grouping.submit(1, 'p', 1)
    const first = await all.group(0)
    linger(all, [2])
    first.finish()
    await turns(3)
    expect(all.held).toHaveLength(1)
    linger(all, [3])
    expect((await all.group(1)).items).toEqual([2, 3])
  })

  it('does not linger while the queue is drained', async () => {
    const all = createHeld(lingering)
    const answers = linger(all, [1, 2])
    const drained = all.grouping.drain()
    const first = await all.group(0)
    answers.push(...linger(all, [3]))
    first.finish()
    ;(await all.group(1)).finish()
    await drained
    expect(await Promise.all(answers)).toEqual([10, 20, 30])
  })
})

describe('drain', () => {
  it('waits for what is queued and what is in flight', async () => {
    const { grouping, group } = createHeld({ groupItemsMax: 1 })
    const settled: number[] = []
    for (const item of [1, 2]) void grouping.submit(item, 'p', 1).then((answer) => settled.push(answer))
    const drained = grouping.drain().then(() => settled.push(-1))
    ;(await group(0)).finish()
    ;(await group(1)).finish()
    await drained
    expect(settled).toEqual([10, 20, -1])
  })

  it('is over at once where nothing was submitted, and after a group that failed', async () => {
    const { grouping, group } = createHeld()
    await grouping.drain()
    const lost = grouping.submit(1, 'p', 1)
    ;(await group(0)).fail(new Error('lost'))
    await expect(lost).rejects.toThrow('lost')
    await grouping.drain()
  })
})

describe('room that is kept', () => {
  const small = { queueItemsMax: 2, ownerShareMax: 1 }

  it('is taken from the others until it is used or given back', async () => {
    const { grouping, group } = createHeld(small)
    const room = grouping.keepRoom('p', 10)
    const other = grouping.keepRoom('q', 10)
    await expect(grouping.submit(1, 'r', 1)).rejects.toMatchObject(refused)
    expect(() => grouping.keepRoom('r', 1)).toThrow()
    other.release()
    other.release()
    const submitted = grouping.submit(2, 'r', 1)
    const kept = room.submit(3, 10)
    expect((await group(0)).items).toEqual([2, 3])
    ;(await group(0)).finish()
    expect(await Promise.all([submitted, kept])).toEqual([20, 30])
  })

  it('counts towards the share of its owner', async () => {
    const { grouping } = createHeld({ queueItemsMax: 4, ownerShareMax: 0.5 })
    const rooms = [grouping.keepRoom('p', 1), grouping.keepRoom('p', 1)]
    expect(() => grouping.keepRoom('p', 1)).toThrow(expect.objectContaining(refused))
    expect(() => grouping.keepRoom('q', 1)).not.toThrow()
    for (const room of rooms) room.release()
    expect(() => grouping.keepRoom('p', 1)).not.toThrow()
  })

  it('holds nothing once it is given back: the queue is as empty as it was', async () => {
    const { grouping, group } = createHeld(small)
    for (let round = 0; round < 10; round++) grouping.keepRoom('p', 9_000).release()
    const submitted = grouping.submit(1, 'p', 9_000)
    ;(await group(0)).finish()
    expect(await submitted).toBe(10)
  })

  it('for many items is used item by item: none of them is refused, and nothing else takes their room', async () => {
    const { grouping, group } = createHeld(small)
    const room = grouping.keepRoom('p', 10, 2)
    await expect(grouping.submit(1, 'q', 1)).rejects.toMatchObject(refused)
    const answers = [room.submit(2, 4)]
    await expect(grouping.submit(1, 'q', 1)).rejects.toMatchObject(refused)
    answers.push(room.submit(3, 4))
    expect((await group(0)).items).toEqual([2, 3])
    ;(await group(0)).finish()
    expect(await Promise.all(answers)).toEqual([20, 30])
    expect(() => grouping.keepRoom('q', 10_000, 2)).not.toThrow()
  })

  it('is given back for those of many items that never came', async () => {
    const { grouping, group } = createHeld(small)
    const room = grouping.keepRoom('p', 10_000, 2)
    const answer = room.submit(1, 9_000)
    room.release()
    room.release()
    ;(await group(0)).finish()
    expect(await answer).toBe(10)
    expect(() => grouping.keepRoom('q', 10_000, 2)).not.toThrow()
  })

  it('is kept for all of many items or for none of them', () => {
    const { grouping } = createHeld(small)
    expect(() => grouping.keepRoom('p', 10, 3)).toThrow(expect.objectContaining(refused))
    expect(() => grouping.keepRoom('p', 10_001, 2)).toThrow(expect.objectContaining(refused))
    expect(() => grouping.keepRoom('p', 10, 2)).not.toThrow()
  })
})
