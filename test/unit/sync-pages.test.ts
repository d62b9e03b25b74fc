import { describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createFanOut } from '../../src/features/sync/fan-out.js'
import { SYNC_LIMITS } from '../../src/features/sync/limits.js'
import { eventsOf, type Page, toPage } from '../../src/features/sync/page.js'
import { type Position, placeKey, readPosition } from '../../src/features/sync/position.js'
import { createReadEach, type ReadPage, readWhole } from '../../src/features/sync/read-pages.js'
import type { RawPage, Scope } from '../../src/features/sync/store.js'

const EPOCH = '0123abcd-0000-4000-8000-000000000000'
const SCOPE: Scope = { projectId: 'p' as ProjectId, profile: 'default' }
const START: Position = { epoch: EPOCH, since: 3 }
const row = (revision: number, alias: string, models = '["x:1"]') => ({
  ...{ revision, alias, profile: 'default', isDeleted: false, models, constraints: null, metadata: null },
})
const raw = (rows: RawPage['rows'], cutAt: number | null, isReset = false): RawPage => ({
  ...{ rows, cutAt, head: { epoch: EPOCH, revision: 9, isReset } },
})

describe('where a follower stands', () => {
  const asked = { since: 5, epoch: 'feedbeef' }
  test.each([
    [undefined, { since: 5, epoch: 'feedbeef' }],
    ['', { since: 5, epoch: 'feedbeef' }],
    ['0123abcd-7', { since: 7, epoch: '0123abcd' }],
    ['7', { since: 7, epoch: 'feedbeef' }],
    ['0123abcd-', { since: 0, epoch: 'none' }],
    ['-7', { since: 0, epoch: 'none' }],
    ['7 ', { since: 0, epoch: 'none' }],
    ['9999999999999999', { since: 0, epoch: 'none' }],
  ])('is what Last-Event-ID %j says before what its address says', (id, position) => {
    expect(readPosition(asked, id)).toEqual(position)
  })

  test('is told by the id of each event', () => {
    expect(readPosition({ since: 0 }, '0123abcd-12')).toEqual({ epoch: '0123abcd', since: 12 })
  })

  test('is another one with another epoch, revision or change', () => {
    const after = { revision: 4, profile: 'p', alias: 'a' }
    const places: Position[] = [START, { ...START, since: 4 }, { ...START, epoch: undefined }, { ...START, after }]
    places.push({ ...START, after: { ...after, alias: 'b' } })
    expect(new Set(places.map(placeKey)).size).toBe(places.length)
    expect(placeKey({ ...START })).toBe(placeKey(START))
  })
})

describe('a page', () => {
  test('that has all ends at the head', () => {
    const page = toPage(SCOPE, START, raw([row(4, 'a'), row(6, 'b')], null))
    expect(page).toMatchObject({ isLast: true, next: { epoch: EPOCH, since: 9 } })
  })

  test('ends where a revision does: what is there of the one that was cut comes with the next', () => {
    const page = toPage(SCOPE, START, raw([row(4, 'a'), row(5, 'b'), row(6, 'c')], 6))
    expect(page.changes.map(({ revision }) => revision)).toEqual([4, 5])
    expect(page).toMatchObject({ isLast: false, next: { epoch: EPOCH, since: 5 } })
  })

  test('of a part of one revision leaves its reader before that one, and goes on behind the part', () => {
    const page = toPage(SCOPE, START, raw([row(4, 'a'), row(4, 'b')], 4))
    expect(page.next).toMatchObject({ epoch: EPOCH, since: 3, after: { revision: 4, profile: 'default', alias: 'b' } })
    expect(toPage(SCOPE, START, raw([row(4, 'a')], 4, true)).next.since).toBe(0)
    expect(eventsOf(page, true)).toMatchObject([{ id: '3' }])
  })
})

describe('the events of a page', () => {
  const page = toPage(SCOPE, START, raw([row(4, 'a'), row(4, 'b'), row(6, 'c')], null))

  test('are one a revision for who follows, and one for who catches up', () => {
    expect(eventsOf(page, true).map(({ id }) => id)).toEqual(['4', '6'])
    expect(eventsOf(page, false).map(({ id }) => id)).toEqual(['9'])
    const [first] = eventsOf(page, true).map(({ data }) => JSON.parse(data))
    expect(first).toMatchObject({ epoch: EPOCH, revision: 4, profile: 'default', reset: false, more: true })
    expect(first.changes.map(({ alias }: { alias: string }) => alias)).toEqual(['a', 'b'])
  })

  test('are none for who follows where nothing changed, and say where it stands to who begins', () => {
    const nothing = toPage(SCOPE, START, raw([], null))
    expect(eventsOf(nothing, true)).toEqual([])
    expect(eventsOf(nothing, false)).toHaveLength(1)
  })

  test('are one where everything begins anew, even for who follows', () => {
    const reset = toPage(SCOPE, START, raw([row(4, 'a'), row(6, 'c')], null, true))
    expect(eventsOf(reset, true).map(({ data }) => JSON.parse(data).reset)).toEqual([true])
  })
})

describe('a revision that is larger than a page', () => {
  /** One revision of so many aliases, of which a page holds two. */
  const readingOf = (count: number, models?: string) => {
    const asked: Position[] = []
    const read: ReadPage = async (scope, position) => {
      asked.push(position)
      const begin = position.after === undefined ? 0 : Number(position.after.alias) + 1
      const rows = [begin, begin + 1].filter((at) => at < count).map((at) => row(4, String(at), models))
      return toPage(scope, position, raw(rows, begin + 2 < count ? 4 : null))
    }
    return { asked, read }
  }

  test('is read to its end, and told as a whole', async () => {
    const { asked, read } = readingOf(7)
    const page: Page = await readWhole(read, SCOPE, START)
    expect([page.changes.length, asked.length, page.next.since]).toEqual([7, 4, 9])
    expect(eventsOf(page, true)).toHaveLength(1)
  })

  test('is told in parts from a size on; until the last one its reader stands before it', async () => {
    const { read } = readingOf(5, JSON.stringify(['x'.repeat(SYNC_LIMITS.eventCharactersMax / 2)]))
    const ids: string[] = []
    let position = START
    for (let page = await readWhole(read, SCOPE, position); ; page = await readWhole(read, SCOPE, position)) {
      ids.push(...eventsOf(page, true).map(({ id }) => id))
      position = page.next
      if (page.isLast) break
    }
    expect(ids).toEqual(['3', '3', '4'])
  })
})

describe('telling many', () => {
  test('reaches each once and in order, a few in each turn, and small rounds between the turns of a large one', async () => {
    const { tellAll } = createFanOut()
    const told: string[] = []
    let turns = 0
    const count = () => {
      turns += 1
      if (told.length < 101) setImmediate(count)
    }
    setImmediate(count)
    const crowd = Array.from({ length: 100 }, (_, at) => String(at))
    const large = tellAll(crowd, (one) => void told.push(one))
    const small = tellAll(['small'], (one) => void told.push(one))
    await Promise.all([large, small, tellAll([], () => undefined)])
    expect(told.filter((one) => one !== 'small')).toEqual(crowd)
    expect(told.indexOf('small')).toBe(SYNC_LIMITS.toldAtOnceMax)
    expect(turns).toBeGreaterThanOrEqual(100 / SYNC_LIMITS.toldAtOnceMax)
  })
})

describe('what each revision changed', () => {
  const history = { revisions: [4, 5, 6], rows: [row(4, 'a'), row(6, 'a', '["x:2"]')] }
  const latest = (since: number, more: Partial<Page> = {}): Page => ({
    ...toPage(SCOPE, { ...START, since }, raw([row(6, 'a', '["x:2"]')], null)),
    ...more,
  })
  let asked: number[][]
  const readEach = createReadEach(async (_scope, epoch, since, until) => {
    asked.push([since, until])
    return epoch === EPOCH ? history : undefined
  })

  test('is told to who follows, an event each, also of one that changed no alias', async () => {
    asked = []
    const page = await readEach(latest(3), 3)
    expect(asked).toEqual([[3, 9]])
    expect(page.next).toEqual({ epoch: EPOCH, since: 9 })
    const events = eventsOf(page, true).map(({ id, data }) => ({ id, ...JSON.parse(data) }))
    expect(events).toMatchObject([
      { id: '4', revision: 4, more: true, changes: [{ alias: 'a', models: ['x:1'] }] },
      { id: '5', revision: 5, more: true, changes: [] },
      { id: '6', revision: 6, changes: [{ alias: 'a', models: ['x:2'] }] },
    ])
    expect(events[2]).not.toHaveProperty('more')
  })

  test.each<[string, number, Partial<Page>]>([
    ['only one revision came', 8, {}],
    ['too many came', 9 - SYNC_LIMITS.eachRevisionsMax - 1, {}],
    ['revisions began anew', 3, { isReset: true }],
    ['a part of a revision was read', 3, { next: { epoch: EPOCH, since: 3, after: row(4, 'a') } }],
  ])('is not asked for where %s', async (_why, since, more) => {
    asked = []
    const page = latest(since, more)
    expect(await readEach(page, since)).toBe(page)
    expect(asked).toEqual([])
  })

  test('is the last state where the history has it not', async () => {
    const page = latest(3, { epoch: 'feedbeef-0000-4000-8000-000000000000' })
    expect(await readEach(page, 3)).toBe(page)
  })
})
