import { describe, expect, test } from 'vitest'
import { createIds } from '../../src/platform/ids.js'

const MS = Date.UTC(2026, 0, 31, 12)
const many = (count: number, msOf: (index: number) => number) => {
  const newId = createIds()
  return Array.from({ length: count }, (_, index) => newId(msOf(index)))
}

describe('an id', () => {
  test('is a UUIDv7 of its time', () => {
    const [id = ''] = many(1, () => MS)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(MS)
  })

  test('is greater than those before it in its millisecond, however often the pool is filled', () => {
    const ids = many(2_000, () => MS)
    expect([...ids].sort()).toEqual(ids)
    expect(new Set(ids).size).toBe(2_000)
  })

  test('takes the time that it is given, also if that goes back', () => {
    const ids = many(3, (index) => MS - index)
    expect([...ids].sort().reverse()).toEqual(ids)
  })

  test('shares no random part with another one', () => {
    const tails = many(2_000, (index) => MS + index).flatMap((id) => [id.slice(26), id.slice(15, 25)])
    expect(new Set(tails).size).toBeGreaterThan(3_990)
  })
})
