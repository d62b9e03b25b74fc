import { describe, expect, it } from 'vitest'
import { findModel, indexModels, namesPerProviderFileMax } from '../../src/core/pricing/index.js'
import { fixtureIndex } from './pricing-fixtures.js'

const openai = fixtureIndex('openai')
const google = fixtureIndex('google')

function indexOf(models: unknown): ReturnType<typeof fixtureIndex> {
  const result = indexModels({ provider: 'openai', models })
  if (!result.ok) throw new Error(result.reason)
  return result.index
}

describe('the model that an event names', () => {
  it.each([
    ['openai', 'gpt-4o-mini'],
    ['openai', 'openai:gpt-4o-mini'],
    ['OpenAI', 'gpt-4o-mini'],
    ['openai', 'OpenAI:gpt-4o-mini'],
  ])('provider %s and model %s mean openai:gpt-4o-mini', (provider, model) => {
    expect(findModel(openai, provider, model)?.key).toBe('openai:gpt-4o-mini')
  })

  it('the case of a model counts: GPT-4.1 and gpt-4.1 are two models with prices of their own', () => {
    expect(findModel(openai, 'openai', 'GPT-4.1')?.prices.unit.output).toBe(8_500_000n)
    expect(findModel(openai, 'openai', 'gpt-4.1')?.prices.unit.output).toBe(8_000_000n)
    expect(findModel(openai, 'openai', 'Gpt-4.1')).toBeUndefined()
  })

  it('an entry of that name goes before another entry that lists it as an alias', () => {
    expect(findModel(openai, 'openai', 'gpt-4o')?.key).toBe('openai:gpt-4o')
    expect(findModel(openai, 'openai', 'gpt-4o-first')?.key).toBe('openai:gpt-4o-2024-05-13')
    expect(findModel(google, 'google', 'gemini-2.5-flash-preview-09-2025')?.prices.unit.output).toBe(2_000_000n)
  })

  it('an alias is found with and without its provider', () => {
    expect(findModel(google, 'google', 'google:gemini-2.0-flash-001')?.key).toBe('google:gemini-2.0-flash')
    expect(findModel(google, 'google', 'gemini-2.0-flash-001')?.key).toBe('google:gemini-2.0-flash')
  })

  it('an alias that two models list means the active one, whichever comes first and whatever its key', () => {
    expect(findModel(google, 'google', 'gemini-flash-latest')?.key).toBe('google:gemini-2.5-flash')
    const active = ['openai:a', { model_aliases: ['m'], is_active: true }] as const
    const retired = ['openai:b', { model_aliases: ['m'], is_active: false }] as const
    for (const models of [Object.fromEntries([active, retired]), Object.fromEntries([retired, active])]) {
      expect(findModel(indexOf(models), 'openai', 'm')?.key).toBe('openai:a')
    }
  })

  it('an alias that two active models list means the greatest key, in whatever order the file has them', () => {
    const older = ['openai:m-2024-05-13', { model_aliases: ['m'] }] as const
    const newer = ['openai:m-2024-08-06', { model_aliases: ['m'] }] as const
    for (const models of [Object.fromEntries([older, newer]), Object.fromEntries([newer, older])]) {
      expect(findModel(indexOf(models), 'openai', 'm')?.key).toBe('openai:m-2024-08-06')
    }
  })

  it('an inactive model is found and keeps its prices', () => {
    const model = findModel(openai, 'openai', 'o1-mini')
    expect(model?.active).toBe(false)
    expect(model?.prices.unit).toEqual({ input: 1_100_000n, cached_input: 550_000n, output: 4_400_000n })
  })

  it.each([
    ['openai', 'gpt-9'],
    ['openai', ''],
    ['openai', ':gpt-4o'],
    ['openai', 'google:gpt-4o'],
    ['google', 'gpt-4o'],
    ['', 'openai:gpt-4o'],
    ['openai', 'constructor'],
    ['openai', '__proto__'],
  ])('provider %j and model %j are unknown', (provider, model) => {
    expect(findModel(openai, provider, model)).toBeUndefined()
  })

  it('a model whose own name has a colon is found by that name', () => {
    const index = indexOf({ 'openai:ft:gpt-4o:team': {}, 'openai:openai:odd': {} })
    expect(findModel(index, 'openai', 'ft:gpt-4o:team')?.key).toBe('openai:ft:gpt-4o:team')
    expect(findModel(index, 'openai', 'openai:odd')?.key).toBe('openai:openai:odd')
  })

  it('an entry keeps every field of the origin', () => {
    expect(findModel(openai, 'openai', 'o1-mini')?.fields['min_recommended_reasoning_tokens']).toBe(2000)
  })
})

describe('a file that is not what it should be', () => {
  it.each([
    null,
    [],
    'text',
    {},
    { provider: 'openai' },
    { provider: 1, models: {} },
    { provider: 'openai', models: [] },
  ])('%j is refused', (file) => {
    expect(indexModels(file)).toEqual({ ok: false, reason: 'not-a-provider-file' })
  })

  it('entries that are no objects and aliases that are no text are left out', () => {
    const index = indexOf({
      'openai:a': null,
      'openai:b': 'x',
      'openai:c': [],
      'openai:d': { model_aliases: [1, 'e'] },
    })
    expect([...index.byKey.keys()]).toEqual(['openai:d'])
    expect([...index.byAlias.keys()]).toEqual(['e'])
  })

  it('more names than the limit are refused, the limit itself is not', () => {
    const model_aliases = Array.from({ length: namesPerProviderFileMax - 1 }, (_, i) => `a${i}`)
    expect(indexModels({ provider: 'p', models: { 'p:m': { model_aliases } } }).ok).toBe(true)
    expect(indexModels({ provider: 'p', models: { 'p:m': { model_aliases }, 'p:n': {} } })).toEqual({
      ok: false,
      reason: 'too-many-names',
    })
  })
})
