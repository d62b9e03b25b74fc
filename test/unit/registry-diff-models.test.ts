import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { indexModels, type ModelIndex } from '../../src/core/pricing/index.js'
import { diffModels } from '../../src/features/registry/diff-models.js'
import { fixtureIndex } from './pricing-fixtures.js'

function indexOf(models: Record<string, unknown>): ModelIndex {
  const result = indexModels({ provider: 'openai', models })
  if (!result.ok) throw new Error(result.reason)
  return result.index
}

/** The models that the old ones become by a diff: what it says has to be all that differs. */
function apply(from: Record<string, object>, to: Record<string, object>): Record<string, unknown> {
  const { added, removed, changed } = diffModels(indexOf(from), indexOf(to))
  const kept = Object.entries(from).filter(([key]) => !removed.includes(key))
  const moved = kept.map(([key, fields]) => {
    const next = new Map(Object.entries(fields))
    for (const [name, change] of Object.entries(changed[key] ?? {})) {
      expect(change.old).toEqual(next.get(name))
      if ('new' in change) next.set(name, change.new)
      else next.delete(name)
    }
    return [key, Object.fromEntries(next)]
  })
  return Object.fromEntries([...moved, ...added.map((key) => [key, to[key]])])
}

describe('the difference of two versions', () => {
  test('is nothing between a version and itself', () => {
    const index = fixtureIndex('openai')
    expect(diffModels(index, index)).toEqual({ added: [], removed: [], changed: {} })
  })

  test('names models that came and went, and fields with their old and new values', () => {
    const before = { 'openai:a': { price: 1, note: null, gone: [1] }, 'openai:b': {} }
    const after = { 'openai:a': { price: 2, note: null, come: { deep: true } }, 'openai:c': {} }
    expect(diffModels(indexOf(before), indexOf(after))).toEqual({
      added: ['openai:c'],
      removed: ['openai:b'],
      changed: { 'openai:a': { price: { old: 1, new: 2 }, gone: { old: [1] }, come: { new: { deep: true } } } },
    })
  })

  test('does not take another order of members for a change, but tells null from absent', () => {
    const before = indexOf({ m: { limits: { a: 1, b: [2] }, x: null } })
    expect(diffModels(before, indexOf({ m: { x: null, limits: { b: [2], a: 1 } } })).changed).toEqual({})
    expect(diffModels(before, indexOf({ m: { limits: { a: 1, b: [2] } } })).changed).toEqual({
      m: { x: { old: null } },
    })
  })

  test('reads names that objects have by themselves as what they are: names', () => {
    const before = indexOf(JSON.parse('{"__proto__": {"price": 1}, "constructor": {}}'))
    const after = indexOf(JSON.parse('{"__proto__": {"price": 2, "toString": 3}, "m": {}}'))
    const { added, removed, changed } = diffModels(before, after)
    expect([added, removed]).toEqual([['m'], ['constructor']])
    expect(JSON.stringify(changed)).toBe('{"__proto__":{"price":{"old":1,"new":2},"toString":{"new":3}}}')
  })

  test('is all that differs: applied to the old models it gives the new ones', () => {
    const fields = fc.dictionary(fc.constantFrom('p', 'q', 'r', 's'), fc.jsonValue(), { noNullPrototype: true })
    const models = fc.dictionary(fc.constantFrom('openai:a', 'openai:b', 'openai:c', 'd'), fields, {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(models, models, (from, to) => {
        const json = JSON.parse(JSON.stringify({ from, to }))
        expect(apply(json.from, json.to)).toEqual(json.to)
      }),
    )
  })
})
