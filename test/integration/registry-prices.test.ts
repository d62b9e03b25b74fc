import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { startRegistryInstance, TTL_SECONDS } from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

let database: TestDatabase
let origin: RegistryOrigin

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
})
afterAll(async () => {
  await origin.close()
  await database.drop()
})

const start = (started = true) => startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url, started })

const dearer = (input: number) =>
  JSON.stringify({
    provider: 'openai',
    version: 3,
    models: { 'openai:gpt-4o-mini': { dollars_per_million_tokens_input: input } },
  })

describe('prices', () => {
  it('are nobody’s to tell before the first load, and found after it', async () => {
    const one = await start(false)
    expect(one.feature.findPrice('openai', 'gpt-4o-mini')).toEqual({ status: 'no_registry' })
    expect(one.feature.currentVersion('openai')).toBeNull()
    expect(await one.feature.registryLoaded()).toBe(true)
    const found = one.feature.findPrice('OpenAI', 'gpt-4o-mini')
    expect(found).toMatchObject({ status: 'found', registryVersion: 'openai@2', prices: { unit: { input: 150_000n } } })
    expect(one.feature.currentVersion('openai')).toBe('openai@2')
    await one.close()
  })

  it('tell a model that is unknown from a provider that is', async () => {
    const one = await start()
    await one.feature.registryLoaded()
    const unknown = { status: 'unknown_model', registryVersion: 'anthropic@3' }
    expect(one.feature.findPrice('anthropic', 'nothing-like-it')).toEqual(unknown)
    expect(one.feature.findPrice('mistral', 'large')).toEqual({ status: 'unknown_model', registryVersion: null })
    expect(one.feature.findPrice('constructor', 'x')).toEqual({ status: 'unknown_model', registryVersion: null })
    expect(one.feature.currentVersion('mistral')).toBe('anthropic@3+google@2+openai@2')
    expect(one.feature.currentVersion(undefined)).toBe('anthropic@3+google@2+openai@2')
    await one.close()
  })

  it('follow the origin when the time to live is over, and listeners hear of new content only', async () => {
    const one = await start(false)
    let loads = 0
    one.feature.onLoaded(() => {
      loads += 1
    })
    one.feature.onLoaded(() => {
      throw new Error('a listener that fails stops nobody')
    })
    await one.registry()
    expect(loads).toBe(3)
    origin.forget()
    one.advance(TTL_SECONDS)
    await one.registry()
    await eventually(async () => expect((await one.get('/registry')).headers.get('age')).toBe('0'))
    await eventually(() => expect(origin.requests()).toHaveLength(4))
    expect(loads).toBe(3)
    origin.put('openai/models.json', dearer(0.2))
    one.advance(TTL_SECONDS)
    await eventually(async () => expect((await one.registry()).version).toBe('anthropic@3+google@2+openai@3'))
    expect(one.feature.currentVersion('openai')).toBe('openai@3')
    expect(one.feature.findPrice('openai', 'gpt-4o-mini')).toMatchObject({ prices: { unit: { input: 200_000n } } })
    expect(loads).toBe(4)
    await one.close()
  })
})

describe('what operators see', () => {
  it('is the age of each provider’s copy, and a line for the doctor', async () => {
    const one = await start(false)
    const ages = async () => (await one.metrics.expose()).text.match(/^llmring_registry_age_seconds\{.*$/gm)
    expect(await ages()).toEqual(expect.arrayContaining(['llmring_registry_age_seconds{provider="openai"} Nan']))
    const { ok, detail } = await one.feature.check()
    expect([ok, detail]).toEqual([true, expect.stringContaining('anthropic@3: 5 models, 0 s old')])
    one.advance(30)
    expect(await ages()).toEqual(
      ['anthropic', 'google', 'openai'].map((name) => `llmring_registry_age_seconds{provider="${name}"} 30`),
    )
    await one.close()
  })

  it('is what is wrong, where something is', async () => {
    await origin.fail('status-500', 'google/')
    const empty = await cloneDatabase()
    const given = { originUrl: origin.url, started: false }
    const [one, two] = [await startRegistryInstance({ ...given, databaseUrl: empty.url }), await start(false)]
    const [never, kept] = [await one.feature.check(), await two.feature.check()]
    expect([never.ok, never.detail]).toEqual([false, expect.stringMatching(/google: not loaded \(it .* status 500\)/)])
    expect([kept.ok, kept.detail]).toEqual([false, expect.stringMatching(/google@2: .* old \(it .* status 500\)/)])
    await Promise.all([one.close(), two.close()])
    await empty.drop()
    await origin.fail(null)
  })
})
