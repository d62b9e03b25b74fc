import { describe, expect, it } from 'vitest'
import {
  addToLine,
  createLines,
  type Group,
  type LineLimits,
  type Lines,
  putBack,
  releaseLine,
  takeGroup,
  takePatient,
  type Waiting,
} from '../../src/platform/owner-lines.js'

const LIMITS: LineLimits = {
  ...{ groupItemsMax: 4, groupBytesMax: 100, queueItemsMax: 10, queueBytesMax: 300, ownerShareMax: 0.5 },
  ...{ restsMax: 1, heldMsMax: 60_000 },
}
type One = Waiting<string, void>

const refused: string[] = []
const one = (item: string, bytes = 10, since = performance.now()): One => ({
  ...{ item, bytes, since, resolve: () => undefined },
  reject: (error) => void refused.push(`${item}: ${(error as { code?: string }).code}`),
})
const add = (lines: Lines<string, void>, owner: string, ...items: One[]) =>
  items.map((item) => (addToLine(lines, LIMITS, owner, item) as { code?: string } | undefined)?.code ?? 'added')
const named = (group: Group<string, void> | undefined) =>
  [...(group ?? [])].map(([{ owner }, taken]) => [owner, ...taken.map(({ item }) => item)])
const lineOf = (lines: Lines<string, void>, owner: string) => {
  const line = lines.all.get(owner)
  if (line === undefined) throw new Error(`there is no line of ${owner}`)
  return line
}

describe('a group', () => {
  it('is of the owners in their turn, up to a number of items', () => {
    const lines = createLines<string, void>()
    add(lines, 'a', one('a1'), one('a2'), one('a3'))
    add(lines, 'b', one('b1'), one('b2'))
    expect(named(takeGroup(lines, LIMITS))).toEqual([
      ['a', 'a1', 'a2', 'a3'],
      ['b', 'b1'],
    ])
    // Both are in flight: what is left of b waits until that is over.
    expect([named(takeGroup(lines, LIMITS)), lines.readyItems, lines.total.items]).toEqual([[], 0, 1])
    releaseLine(lines, LIMITS, lineOf(lines, 'b'))
    expect([lines.readyItems, named(takeGroup(lines, LIMITS))]).toEqual([1, [['b', 'b2']]])
  })

  it('holds no more bytes than it may, but one item at least', () => {
    const lines = createLines<string, void>()
    expect(add(lines, 'a', one('small', 40), one('other', 50))).toEqual(['added', 'added'])
    expect(add(lines, 'b', one('large', 120))).toEqual(['added'])
    expect(named(takeGroup(lines, LIMITS))).toEqual([['a', 'small', 'other']])
    expect(named(takeGroup(lines, LIMITS))).toEqual([['b', 'large']])
    for (const owner of ['a', 'b']) releaseLine(lines, LIMITS, lineOf(lines, owner))
    expect([lines.all.size, lines.total]).toEqual([0, { items: 0, bytes: 0 }])
  })

  it('leaves behind what does not fit beside what it has, in its order', () => {
    const lines = createLines<string, void>()
    add(lines, 'a', one('a1', 60), one('a2', 60), one('a3', 5))
    expect(named(takeGroup(lines, LIMITS))).toEqual([['a', 'a1']])
    releaseLine(lines, LIMITS, lineOf(lines, 'a'))
    expect(named(takeGroup(lines, LIMITS))).toEqual([['a', 'a2', 'a3']])
  })
})

describe('the queue', () => {
  it('refuses what is beyond an owner’s share, and always takes the first of another', () => {
    const lines = createLines<string, void>()
    const many = Array.from({ length: 6 }, (_, at) => one(`a${at}`))
    expect(add(lines, 'a', ...many)).toEqual([...Array.from({ length: 5 }, () => 'added'), 'overloaded'])
    expect(add(lines, 'b', one('b1', 200), one('b2', 60))).toEqual(['added', 'overloaded'])
  })

  it('refuses everybody once it is full', () => {
    const lines = createLines<string, void>()
    for (const owner of ['a', 'b']) add(lines, owner, ...Array.from({ length: 5 }, () => one(owner)))
    expect(add(lines, 'c', one('c1'))).toEqual(['overloaded'])
    takeGroup(lines, LIMITS)
    expect(add(lines, 'c', one('c1'))).toEqual(['added'])
  })

  it('counts an owner that is in flight as one that has nothing in it', () => {
    const lines = createLines<string, void>()
    add(lines, 'a', one('a1'))
    takeGroup(lines, LIMITS)
    expect(add(lines, 'a', one('large', 290))).toEqual(['added'])
    expect([lines.readyItems, lines.total]).toEqual([0, { items: 1, bytes: 290 }])
  })
})

describe('what is held', () => {
  it('goes back to the head of its line, before what came meanwhile, and is counted again', () => {
    const lines = createLines<string, void>()
    add(lines, 'a', one('a1'), one('a2'))
    const group = takeGroup(lines, LIMITS)
    add(lines, 'a', one('a3'))
    putBack(lines, LIMITS, lineOf(lines, 'a'), group.get(lineOf(lines, 'a')) ?? [])
    expect([lines.total, lines.readyItems]).toEqual([{ items: 3, bytes: 30 }, 0])
    releaseLine(lines, LIMITS, lineOf(lines, 'a'))
    expect(named(takeGroup(lines, LIMITS))).toEqual([['a', 'a1', 'a2', 'a3']])
  })

  it('more often than it may rest is waited for, by itself', () => {
    const lines = createLines<string, void>()
    add(lines, 'a', one('a1'))
    add(lines, 'b', one('b1'))
    for (let rests = 0; rests < 2; rests += 1) {
      const line = lineOf(lines, 'a')
      putBack(lines, LIMITS, line, takeGroup(lines, LIMITS).get(line) ?? [])
      expect(takePatient(lines, LIMITS)).toBeUndefined()
      releaseLine(lines, LIMITS, line)
    }
    expect(lines.readyItems).toBe(0)
    expect(named(takePatient(lines, LIMITS))).toEqual([['a', 'a1']])
    expect(takePatient(lines, LIMITS)).toBeUndefined()
  })

  it('for too long is refused, and the younger ones behind it stay', () => {
    const lines = createLines<string, void>()
    add(lines, 'a', one('old', 10, performance.now() - 61_000), one('young'))
    const line = lineOf(lines, 'a')
    putBack(lines, LIMITS, line, takeGroup(lines, LIMITS).get(line) ?? [])
    expect([refused, lines.total]).toEqual([['old: overloaded'], { items: 1, bytes: 10 }])
  })
})
