import { describe, expect, it } from 'vitest'
import { indexModels } from '../../src/core/pricing/index.js'
import {
  driftOf,
  isKnownTo,
  NO_CONSTRAINTS,
  type RegistryFacts,
  readConstraints,
} from '../../src/core/routing/index.js'
import { fixtureIndex } from './pricing-fixtures.js'

const only = (models: Record<string, object>): RegistryFacts => {
  const result = indexModels({ provider: 'p', models })
  if (!result.ok) throw new Error(result.reason)
  return (provider) => (provider === 'p' ? result.index : undefined)
}
const NONE: RegistryFacts = () => undefined
const drift = (reference: string, pinned: RegistryFacts, current: RegistryFacts, constraints: object = {}) =>
  driftOf(reference, readConstraints(constraints).constraints, { pinned, current })

const A = {
  dollars_per_million_tokens_input: 0.1,
  dollars_per_million_tokens_output: 0.4,
  max_input_tokens: 128_000,
  max_output_tokens: 0,
}

describe('the drift of a bound model', () => {
  it('is none where nothing changed that counts', () => {
    expect(drift('p:a', only({ 'p:a': A }), only({ 'p:a': { ...A, description: 'new' }, 'p:b': A }))).toEqual([])
  })

  it('is gone, with and without a pin', () => {
    const gone = [{ kind: 'gone', resolved: 'p:a', changes: [] }]
    expect(drift('p:a', only({ 'p:a': A }), only({ 'p:b': A }))).toEqual(gone)
    expect(drift('p:a', NONE, only({ 'p:b': A }))).toEqual(gone)
  })

  it('is inactive, with and without a pin', () => {
    const inactive = [{ kind: 'inactive', resolved: 'p:a', changes: [] }]
    expect(drift('p:a', NONE, only({ 'p:a': { ...A, is_active: false } }))).toEqual(inactive)
    expect(drift('p:a', only({ 'p:a': A }), only({ 'p:a': { ...A, is_active: false } }))).toEqual(inactive)
  })

  it('is the prices and the limits that changed, with both numbers, exactly', () => {
    const now = {
      ...{ dollars_per_million_tokens_input: 0.3, dollars_per_million_tokens_cache_read: 0.000001 },
      ...{ max_input_tokens: 256_000, max_output_tokens: 16_000, long_context_threshold_tokens: 200_000 },
    }
    expect(drift('p:a', only({ 'p:a': A }), only({ 'p:a': now }))).toEqual([
      {
        kind: 'price_changed',
        resolved: 'p:a',
        changes: [
          { field: 'dollars_per_million_tokens_input', pinned: '0.1', current: '0.3' },
          { field: 'dollars_per_million_tokens_output', pinned: '0.4', current: null },
          { field: 'dollars_per_million_tokens_cache_read', pinned: null, current: '0.000001' },
          { field: 'long_context_threshold_tokens', pinned: null, current: 200_000 },
        ],
      },
      {
        kind: 'limits_changed',
        resolved: 'p:a',
        changes: [
          { field: 'max_input_tokens', pinned: 128_000, current: 256_000 },
          { field: 'max_output_tokens', pinned: null, current: 16_000 },
        ],
      },
    ])
  })

  it('needs a pin for prices and limits', () => {
    expect(drift('p:a', NONE, only({ 'p:a': A }))).toEqual([])
    expect(drift('p:new', only({ 'p:a': A }), only({ 'p:new': A }))).toEqual([])
  })

  it('follows the other name of a model to another model', () => {
    const named = (key: string) => only({ [key]: { ...A, model_aliases: ['latest'] } })
    expect(drift('p:latest', named('p:a-1'), named('p:a-2'))).toEqual([
      {
        ...{ kind: 'resolves_differently', resolved: 'p:a-2' },
        changes: [{ field: 'model', pinned: 'p:a-1', current: 'p:a-2' }],
      },
    ])
  })

  it('is nothing of a provider that the registry does not have, and that can be told', () => {
    expect(drift('q:a', NONE, only({ 'p:a': A }))).toEqual([])
    expect(drift('gpt-4', NONE, only({ 'p:a': A }))).toEqual([])
    const known = ['p:zzz', 'P:a', 'q:a', 'gpt-4'].map((text) => isKnownTo(only({ 'p:a': A }), text))
    expect(known).toEqual([true, true, false, false])
  })
})

describe('the drift of a wildcard', () => {
  const dear = { ...A, dollars_per_million_tokens_input: 9 }

  it('is another model than it was', () => {
    expect(
      drift('p:*', only({ 'p:a': A, 'p:b': dear }), only({ 'p:a': { ...A, is_active: false }, 'p:b': dear })),
    ).toEqual([
      {
        kind: 'resolves_differently',
        resolved: 'p:b',
        changes: [{ field: 'model', pinned: 'p:a', current: 'p:b' }],
      },
      {
        kind: 'price_changed',
        resolved: 'p:b',
        changes: [{ field: 'dollars_per_million_tokens_input', pinned: '0.1', current: '9' }],
      },
    ])
  })

  it('is the price of the same model, and none without a pin', () => {
    expect(drift('p:*', only({ 'p:a': A }), only({ 'p:a': dear }))).toMatchObject([
      { kind: 'price_changed', resolved: 'p:a' },
    ])
    expect(drift('p:*', NONE, only({ 'p:a': dear }))).toEqual([])
  })

  it('is unsatisfied, with and without a pin', () => {
    const unsatisfied = [{ kind: 'unsatisfied', resolved: null, changes: [] }]
    for (const pinned of [NONE, only({ 'p:a': A })]) {
      expect(drift('p:*', pinned, only({ 'p:a': A }), { requires: ['vision'] })).toEqual(unsatisfied)
    }
  })
})

describe('drift between two versions of a real file', () => {
  it('names every model that went and every price that moved, and nothing else', () => {
    const [pinned, current] = [fixtureIndex('openai', 1), fixtureIndex('openai', 2)]
    const registry = { pinned: () => pinned, current: () => current }
    const kinds = [...pinned.byKey.keys()].map((key) => [
      key,
      driftOf(key, NO_CONSTRAINTS, registry).map(({ kind }) => kind),
    ])
    for (const [key, found] of kinds as [string, string[]][]) {
      const [before, now] = [pinned.byKey.get(key), current.byKey.get(key)]
      if (now === undefined) continue
      const moved = Object.keys({ ...before?.fields, ...now.fields }).filter(
        (name) => name.startsWith('dollars_') && (before?.fields[name] ?? null) !== (now.fields[name] ?? null),
      )
      expect(found.includes('price_changed'), key).toBe(moved.length > 0)
      expect(found.includes('inactive'), key).toBe(!now.active)
    }
    expect(new Set(kinds.flatMap(([, found]) => found))).toEqual(new Set(['gone', 'inactive', 'price_changed']))
  })
})
