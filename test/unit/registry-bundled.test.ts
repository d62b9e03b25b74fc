import { describe, expect, it } from 'vitest'
import { findModel } from '../../src/core/pricing/index.js'
import { BUNDLED_AT, BUNDLED_DATE, bundledRegistry } from '../../src/features/registry/bundled-registry.js'
import { PROVIDER_NAMES } from '../../src/features/registry/providers.js'

const FACTS =
  /^(provider|model_name|display_name|model_aliases|model_family|api_endpoint|tool_call_format)$|^(dollars|cache_storage_cost|max|min|supports|is|requires|long_context)_|_(date|values)$/

describe('the bundled registry', () => {
  it('has every provider, at the version that the public registry gave these prices', async () => {
    const files = await bundledRegistry()()
    expect(files.map(({ provider, version }) => `${provider}@${version}`)).toEqual([
      'anthropic@9',
      'google@5',
      'openai@7',
    ])
    expect(files.map(({ provider }) => provider)).toEqual(PROVIDER_NAMES)
    expect(files.map(({ index }) => index.byKey.size)).toEqual([19, 28, 77])
  })

  it('holds facts and no prose, of models that are what their keys say', async () => {
    for (const { provider, index } of await bundledRegistry()()) {
      for (const { key, fields } of index.byKey.values()) {
        expect(key).toBe(`${provider}:${fields['model_name']}`)
        expect(Object.keys(fields).filter((name) => !FACTS.test(name))).toEqual([])
      }
    }
  })

  it('names its day, which is that of its newest file', async () => {
    const files = await bundledRegistry()()
    const newest = Math.max(...files.map(({ updatedAt }) => updatedAt ?? 0))
    expect(new Date(newest).toISOString().slice(0, 10)).toBe(BUNDLED_DATE)
    expect(newest - BUNDLED_AT).toBeGreaterThanOrEqual(0)
  })

  it('is read as prices, exactly', async () => {
    const openai = (await bundledRegistry()()).find(({ provider }) => provider === 'openai')
    const model = openai === undefined ? undefined : findModel(openai.index, 'openai', 'gpt-4o-mini')
    expect(model?.prices.unit).toMatchObject({ input: 150_000n, output: 600_000n })
  })
})
