import { describe, expect, it } from 'vitest'
import { indexModels } from '../../src/core/pricing/index.js'
import { type DatedPrices, inForceFrom, priceAt } from '../../src/features/registry/prices-in-force.js'

const INPUT = 'dollars_per_million_tokens_input'
const indexed = indexModels({ provider: 'google', models: { 'google:a': { [INPUT]: 3, model_aliases: ['short'] } } })
const span = (fromVersion: number, toVersion: number, input: bigint) => ({
  ...{ fromVersion, toVersion },
  prices: { unit: { input } },
})
/** Versions 2, 5 and 9, in force from 200, 500 and 900 on. */
const dated: DatedPrices = {
  versions: [2, 5, 9].map((version) => ({ version, fromMs: 100 * version })),
  spans: new Map([
    ['google:a', [span(2, 5, 1n), span(9, 9, 3n)]],
    ['google:late', [span(9, 9, 7n)]],
    ['google:gone', [span(2, 2, 4n)]],
  ]),
  newest: indexed.ok ? indexed.index : undefined,
}
const at = (model: string, ms: number) => {
  const found = priceAt(dated, 'google', model, ms)
  return [
    found.status === 'found' ? found.prices.unit.input : found.status,
    'registryVersion' in found && found.registryVersion,
  ]
}

describe('the price of a model at a time', () => {
  it.each([
    ['a', 200, 1n, 'google@2'],
    ['a', 499, 1n, 'google@2'],
    ['a', 500, 1n, 'google@5'],
    ['a', 899, 1n, 'google@5'],
    ['a', 900, 3n, 'google@9'],
    ['a', 1e15, 3n, 'google@9'],
  ])('of %s at %d is that of the version in force', (model, ms, input, version) => {
    expect(at(model, ms)).toEqual([input, version])
  })

  it('before all known versions, and of a model that was not listed yet, is the first one that follows', () => {
    expect(at('a', 0)).toEqual([1n, 'google@2'])
    expect(at('late', 0)).toEqual([7n, 'google@9'])
    expect(at('late', 600)).toEqual([7n, 'google@9'])
  })

  it('of a model that is listed no more is the last one', () => {
    expect(at('gone', 950)).toEqual([4n, 'google@2'])
  })

  it('is found by another name of the model', () => {
    expect(at('short', 300)).toEqual([1n, 'google@2'])
    expect(at('google:a', 300)).toEqual([1n, 'google@2'])
  })

  it('is not known of a model that never was', () => {
    expect(at('nobody', 600)).toEqual(['unknown_model', 'google@5'])
    expect(at('nobody', 0)).toEqual(['unknown_model', 'google@9'])
    expect(priceAt({ ...dated, versions: [] }, 'google', 'a', 0)).toEqual({ status: 'no_registry' })
  })
})

describe('a version', () => {
  it('is in force from when it was made, else from when it was first seen', () => {
    expect(inForceFrom({ updatedAt: 5, firstSeenAt: 9 }, true)).toBe(5)
    expect(inForceFrom({ updatedAt: null, firstSeenAt: 9 }, true)).toBe(9)
    expect(inForceFrom({ updatedAt: null, firstSeenAt: null }, true)).toBe(0)
  })

  it('that is published with another content is in force from when that was seen', () => {
    expect(inForceFrom({ updatedAt: 5, firstSeenAt: 9 }, false)).toBe(9)
  })
})
