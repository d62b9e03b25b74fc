import { expect, it } from 'vitest'
import { createOwnerGrouping, HELD, type OwnerGroupingOptions } from '../../src/platform/owner-grouping.js'

type Item = { readonly owner: string; readonly n: number }
type Commit = { readonly items: readonly string[]; readonly mayWait: boolean; finish(held?: string): void }

const LIMITS = {
  ...{ lanes: 2, companyItemsMin: 1, companyMsMax: 1, groupItemsMax: 4, groupBytesMax: 1_000 },
  ...{ queueItemsMax: 100, queueBytesMax: 10_000, ownerShareMax: 1, restMs: 1, restsMax: 1, heldMsMax: 60_000 },
}

/** A grouping whose commits wait until the test finishes them, but for one owner if it says so. */
function createHeld(options: Partial<OwnerGroupingOptions<Item, string>> = {}) {
  const commits: Commit[] = []
  const arrivals: (() => void)[] = []
  const grouping = createOwnerGrouping<Item, string>({
    ...LIMITS,
    isItemFault: () => false,
    commit: (items, mayWait) =>
      new Promise((resolve) => {
        const names = items.map(({ owner, n }) => `${owner}${n}`)
        const finish = (held?: string) =>
          resolve(items.map((item, at) => (item.owner === held ? HELD : (names[at] as string))))
        commits.push({ items: names, mayWait, finish })
        for (const wake of arrivals.splice(0)) wake()
      }),
    ...options,
  })
  const commit = async (index: number): Promise<Commit> => {
    while (commits.length <= index) await new Promise<void>((resolve) => arrivals.push(resolve))
    return commits[index] as Commit
  }
  const submit = (owner: string, ...numbers: number[]) => numbers.map((n) => grouping.submit({ owner, n }, owner, 1))
  return { grouping, commits, commit, submit }
}

it('an owner that is in flight is in no other group, and keeps none waiting', async () => {
  const { grouping, commits, commit, submit } = createHeld()
  const first = submit('a', 1)
  await commit(0)
  const later = [...submit('a', 2, 3), ...submit('b', 1)]
  expect((await commit(1)).items).toEqual(['b1'])
  ;(await commit(1)).finish()
  expect(commits).toHaveLength(2)
  ;(await commit(0)).finish()
  expect((await commit(2)).items).toEqual(['a2', 'a3'])
  ;(await commit(2)).finish()
  expect(await Promise.all([...first, ...later])).toEqual(['a1', 'a2', 'a3', 'b1'])
  await grouping.drain()
  expect(grouping.depth()).toBe(0)
})

it('an owner that is held elsewhere rests and is tried again, in order; the others of its group are answered', async () => {
  const { commit, submit } = createHeld()
  const [one, two] = submit('a', 1, 2)
  const [other] = submit('b', 1)
  expect((await commit(0)).items).toEqual(['a1', 'a2', 'b1'])
  ;(await commit(0)).finish('a')
  expect(await other).toBe('b1')
  const [three] = submit('a', 3)
  expect(await commit(1)).toMatchObject({ items: ['a1', 'a2', 'a3'], mayWait: false })
  ;(await commit(1)).finish()
  expect(await Promise.all([one, two, three])).toEqual(['a1', 'a2', 'a3'])
})

it('one that is held again and again is waited for in a group of its own, beside the lanes', async () => {
  const { commits, commit, submit } = createHeld({ lanes: 1 })
  const held = submit('a', 1)
  for (const attempt of [0, 1]) (await commit(attempt)).finish('a')
  const patient = await commit(2)
  expect(patient).toMatchObject({ items: ['a1'], mayWait: true })
  const others = submit('b', 1)
  expect(await commit(3)).toMatchObject({ items: ['b1'], mayWait: false })
  ;(await commit(3)).finish()
  patient.finish()
  expect(await Promise.all([...held, ...others])).toEqual(['a1', 'b1'])
  const again = submit('a', 2)
  expect(await commit(4)).toMatchObject({ items: ['a2'], mayWait: false })
  ;(await commit(4)).finish()
  await Promise.all(again)
  expect(commits).toHaveLength(5)
})

it('what was held for too long is refused, and what is younger goes on', async () => {
  const { grouping, commit, submit } = createHeld({ heldMsMax: 0 })
  const held = submit('a', 1)
  ;(await commit(0)).finish('a')
  await expect(held[0]).rejects.toMatchObject({ code: 'overloaded', extras: { retryAfterSeconds: 1 } })
  await grouping.drain()
  const next = submit('a', 2)
  ;(await commit(1)).finish()
  expect(await next[0]).toBe('a2')
})

it('a group that fails by the fault of an item is halved, and what is held of its first half holds the second', async () => {
  let calls = 0
  const seen: string[] = []
  const { grouping } = createHeld({
    isItemFault: () => true,
    commit: async (items) => {
      calls += 1
      if (items.some(({ n }) => n === 0)) throw new Error('poison')
      // The first half meets the lock of another instance; by then the second could be written.
      if (calls === 2) return items.map(() => HELD)
      seen.push(...items.map(({ owner, n }) => `${owner}${n}`))
      return items.map(({ owner, n }) => `${owner}${n}`)
    },
  })
  const answers = [1, 2, 3, 0].map((n) => grouping.submit({ owner: 'a', n }, 'a', 1))
  const settled = await Promise.allSettled(answers)
  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
    ...['a1', 'a2', 'a3', 'Error: poison'],
  ])
  expect(seen).toEqual(['a1', 'a2', 'a3'])
})

it('an owner takes no more than its share of the queue, and groups take turns between owners', async () => {
  const { grouping, commit, submit } = createHeld({ lanes: 1, groupItemsMax: 2, queueItemsMax: 4, ownerShareMax: 0.5 })
  const first = submit('a', 0)
  await commit(0)
  const [one, two, three] = submit('a', 1, 2, 3)
  const others = submit('b', 1)
  await expect(three).rejects.toMatchObject({ code: 'overloaded' })
  ;(await commit(0)).finish()
  expect((await commit(1)).items).toEqual(['b1', 'a1'])
  ;(await commit(1)).finish()
  ;(await commit(2)).finish()
  expect(await Promise.all([...first, one, two, ...others])).toEqual(['a0', 'a1', 'a2', 'b1'])
  await grouping.drain()
})
