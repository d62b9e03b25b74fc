import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { longestIncreasing } from '../../src/features/lockfiles/longest-increasing.js'
import { placeAliases } from '../../src/features/lockfiles/place-aliases.js'

const held = (...entries: [string, number][]) => new Map(entries)
const placed = (wanted: string, known: ReadonlyMap<string, number>, lastPlace = 10) =>
  Object.fromEntries(placeAliases([...wanted], known, lastPlace))

describe('the aliases of a profile are placed in the order of a file', () => {
  const abc = held(['a', 1], ['b', 2], ['c', 3])

  it.each([
    ['abc', { a: 1, b: 2, c: 3 }],
    ['bc', { b: 2, c: 3 }],
    ['abcd', { a: 1, b: 2, c: 3, d: 11 }],
    ['abcde', { a: 1, b: 2, c: 3, d: 11, e: 12 }],
    ['dabc', { d: 0, a: 1, b: 2, c: 3 }],
    ['deabc', { d: -1, e: 0, a: 1, b: 2, c: 3 }],
    ['adbc', { a: 1, d: 1.5, b: 2, c: 3 }],
    ['cab', { c: 0, a: 1, b: 2 }],
    ['bca', { b: 2, c: 3, a: 11 }],
    ['xy', { x: 11, y: 12 }],
    ['', {}],
  ])('%s', (wanted, places) => {
    expect(placed(wanted, abc)).toEqual(places)
  })

  it('anew if no double lies between two of them', () => {
    const close = held(['a', 1], ['b', 1 + Number.EPSILON], ['c', 2])
    expect(placed('axbc', close)).toEqual({ a: 11, x: 12, b: 13, c: 14 })
    const equal = held(['a', 1], ['b', 1], ['c', 1])
    expect(placed('abc', equal)).toEqual({ a: 1, b: 1, c: 1 })
    expect(placed('abxc', equal)).toEqual({ a: 11, b: 12, x: 13, c: 14 })
  })

  it('with as few moves as possible, whatever was there', () => {
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefghijklmnop'), { maxLength: 12 })
    fc.assert(
      fc.property(names, names, (before, wanted) => {
        const known = new Map(before.map((alias, index) => [alias, index * 2]))
        const places = placeAliases(wanted, known, 100)
        const inOrder = [...places].sort(([, one], [, other]) => one - other).map(([alias]) => alias)
        expect(inOrder).toEqual(wanted)
        expect(new Set(places.values()).size).toBe(wanted.length)
        const stayed = wanted.filter((alias) => known.has(alias) && places.get(alias) === known.get(alias))
        const ranks = wanted.filter((alias) => known.has(alias)).map((alias) => before.indexOf(alias))
        expect(stayed.length).toBe(longestByTrial(ranks))
      }),
    )
  })
})

/** The length of a longest increasing subsequence, the slow way. */
function longestByTrial(values: readonly number[]): number {
  const lengths: number[] = []
  for (const [index, value] of values.entries()) {
    const earlier = lengths.filter((_, at) => at < index && (values[at] ?? 0) < value)
    lengths.push(1 + Math.max(0, ...earlier))
  }
  return Math.max(0, ...lengths)
}

describe('a longest increasing subsequence', () => {
  it.each([
    [[], []],
    [[5], [0]],
    [
      [1, 2, 3],
      [0, 1, 2],
    ],
    [[3, 2, 1], [2]],
    [
      [2, 0, 1, 4, 3],
      [1, 2, 4],
    ],
    [[1, 1, 1], [0]],
  ])('of %j', (values, indices) => {
    expect(longestIncreasing(values).length).toBe(indices.length)
    const found = longestIncreasing(values).map((index) => values[index] ?? 0)
    expect(found).toEqual([...new Set(found)].sort((one, other) => one - other))
  })
})
