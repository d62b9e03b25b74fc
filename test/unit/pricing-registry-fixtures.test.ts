import { describe, expect, it } from 'vitest'
import { fixtureIndex, fixtureText } from './pricing-fixtures.js'

const VERSIONS = { openai: [1, 2], anthropic: [2, 3], google: [1, 2] } as const

describe.each(Object.entries(VERSIONS))('the registry fixture of %s', (provider, [older, newest]) => {
  it('has a current file that is its newest archived one, byte for byte', () => {
    expect(fixtureText(`${provider}/models.json`)).toBe(fixtureText(`${provider}/v/${newest}/models.json`))
  })

  it.each([older, newest])('names its version and keys every model of version %s by provider and name', (version) => {
    const file: unknown = JSON.parse(fixtureText(`${provider}/v/${version}/models.json`))
    expect(file).toMatchObject({ provider, version })
    const models = [...fixtureIndex(provider, version).byKey.values()]
    expect(models.length).toBeGreaterThanOrEqual(4)
    for (const { key, fields } of models) expect(key).toBe(`${provider}:${String(fields['model_name'])}`)
  })

  it('changes models and prices from one version to the next', () => {
    const keys = (version: number) => [...fixtureIndex(provider, version).byKey.keys()].sort()
    expect(keys(older)).not.toEqual(keys(newest))
  })
})

it('the manifest is as stale as the real one: no versions of providers in it', () => {
  expect(fixtureText('manifest.json')).toContain('"version": "2025-08-20"')
})
