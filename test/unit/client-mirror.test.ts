import { describe, expect, test } from 'vitest'
import { type Change, createMirror, type Delta } from '../../src/client/mirror.js'

const upsert = (alias: string, revision: number, model = `openai:m${revision}`): Change => {
  return { op: 'upsert', profile: 'default', alias, revision, models: [model], constraints: null }
}
const remove = (alias: string, revision: number): Change => ({ op: 'delete', profile: 'default', alias, revision })
const delta = (revision: number, changes: readonly Change[], rest: Partial<Delta> = {}): Delta => {
  return { epoch: 'e1', revision, reset: false, changes, ...rest }
}

function mirrored(...deltas: readonly Delta[]) {
  const mirror = createMirror()
  for (const one of deltas) mirror.take(one)
  const aliases = () => Object.fromEntries(mirror.list().map(([alias, { models }]) => [alias, models[0]]))
  return { ...mirror, aliases }
}

describe('a mirror', () => {
  test('stands where the last delta led to, also if that changed nothing', () => {
    const mirror = mirrored()
    expect(mirror.position()).toBeUndefined()
    mirror.take(delta(3, [upsert('b', 3), upsert('a', 1)]))
    mirror.take(delta(4, []))
    expect(mirror.position()).toEqual({ epoch: 'e1', revision: 4 })
    expect(mirror.list().map(([alias]) => alias)).toEqual(['a', 'b'])
  })

  test('takes changes of every revision, and what was told before again', () => {
    const mirror = mirrored(delta(2, [upsert('a', 1), upsert('b', 2)]), delta(4, [remove('a', 3), upsert('b', 4)]))
    expect(mirror.aliases()).toEqual({ b: 'openai:m4' })
    mirror.take(delta(4, [remove('a', 3), upsert('b', 4)]))
    expect(mirror.aliases()).toEqual({ b: 'openai:m4' })
  })

  test('never goes back behind what this client wrote, whatever was on its way then', () => {
    const mirror = mirrored(delta(1, [upsert('a', 1), upsert('b', 1)]))
    mirror.note(upsert('a', 5))
    mirror.note(remove('b', 6))
    mirror.take(delta(4, [upsert('a', 3), upsert('b', 4)]))
    expect(mirror.aliases()).toEqual({ a: 'openai:m5' })
    expect(mirror.position()).toEqual({ epoch: 'e1', revision: 4 })
    mirror.take(delta(7, [upsert('a', 5), upsert('b', 7)]))
    expect(mirror.aliases()).toEqual({ a: 'openai:m5', b: 'openai:m7' })
  })

  test('keeps what this client wrote before the first answer came, if that is older', () => {
    const mirror = mirrored()
    mirror.note(upsert('a', 5))
    mirror.note(remove('b', 6))
    mirror.take(delta(4, [upsert('a', 2), upsert('b', 3), upsert('c', 4)]))
    expect(mirror.aliases()).toEqual({ a: 'openai:m5', c: 'openai:m4' })
  })

  test('begins anew with a reset, also with lower revisions', () => {
    const mirror = mirrored(delta(9, [upsert('a', 8), upsert('b', 9)]))
    mirror.note(remove('b', 10))
    mirror.take(delta(2, [upsert('b', 1), upsert('c', 2)], { epoch: 'e2', reset: true }))
    expect(mirror.aliases()).toEqual({ b: 'openai:m1', c: 'openai:m2' })
    expect(mirror.position()).toEqual({ epoch: 'e2', revision: 2 })
  })

  test('does not mix two epochs: it stays as it was until it was read anew', () => {
    const mirror = mirrored(delta(9, [upsert('a', 8), upsert('b', 9)]))
    expect(mirror.take(delta(3, [upsert('c', 3)], { epoch: 'e2' }))).toBe(false)
    expect(mirror.position()).toBeUndefined()
    expect(mirror.aliases()).toEqual({ a: 'openai:m8', b: 'openai:m9' })
    expect(mirror.take(delta(3, [upsert('b', 2), upsert('c', 3)], { epoch: 'e2' }))).toBe(true)
    expect(mirror.aliases()).toEqual({ b: 'openai:m2', c: 'openai:m3' })
  })
})
