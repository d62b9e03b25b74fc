import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RegistryInstance, startRegistryInstance } from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

let database: TestDatabase
let origin: RegistryOrigin
let one: RegistryInstance

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  one = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url })
})
afterAll(async () => {
  await one.close()
  await origin.close()
  await database.drop()
})

const keys = async (path: string) => Object.keys((await one.registry(path)).models)

describe('the merged registry', () => {
  it('holds every model of every provider with every field of the origin, inactive ones too', async () => {
    const { models, version, generated_at: generatedAt } = await one.registry()
    expect(Object.keys(models)).toHaveLength(20)
    const openai = JSON.parse((await one.get('/registry/openai/models.json')).text) as { models: object }
    expect(models).toMatchObject(openai.models)
    expect(models['anthropic:claude-3-opus-deprecated']).toMatchObject({ is_active: false })
    expect(version).toBe('anthropic@3+google@2+openai@2')
    expect(generatedAt).toBe('2026-08-18T21:05:03.715Z')
  })

  it('names the providers exactly as old clients know them, and warns of nothing', async () => {
    const registry = await one.registry()
    expect(registry.providers).toEqual({
      openai: { name: 'OpenAI', base_url: 'https://api.openai.com/v1', models_endpoint: '/models' },
      anthropic: { name: 'Anthropic', base_url: 'https://api.anthropic.com', models_endpoint: null },
      google: { name: 'Google', base_url: 'https://generativelanguage.googleapis.com', models_endpoint: '/v1/models' },
    })
    expect(registry).not.toHaveProperty('warnings')
  })

  it('is the same bytes under its three names', async () => {
    const [plain, slash, file] = await Promise.all(['/registry', '/registry/', '/registry.json'].map((p) => one.get(p)))
    expect(plain?.status).toBe(200)
    expect(slash?.text).toBe(plain?.text)
    expect(file?.text).toBe(plain?.text)
    expect(file?.headers.get('etag')).toBe(plain?.headers.get('etag'))
  })
})

describe('filters', () => {
  it('lets in the models of any of the providers', async () => {
    expect(await keys('/registry?providers=anthropic')).toHaveLength(5)
    expect(await keys('/registry.json?providers=OpenAI,%20google')).toHaveLength(15)
    expect((await one.registry('/registry?providers=google')).version).toBe('google@2')
  })

  it('lets in the models that have all of the capabilities; vision means supports_vision, and any boolean field works', async () => {
    const vision = await keys('/registry?capabilities=vision')
    expect(vision).toContain('openai:gpt-4o')
    expect(vision).not.toContain('openai:text-embedding-3-small')
    expect(await keys('/registry?capabilities=supports_vision')).toEqual(vision)
    const active = await keys('/registry?capabilities=vision,is_active')
    expect(active).toEqual(vision.filter((key) => !/claude-3|gemini-2.0-flash$/.test(key)))
    expect(await keys('/registry?providers=openai&capabilities=vision')).toEqual(
      vision.filter((key) => key.startsWith('openai:')),
    )
  })

  it('answers a name that is unknown with nothing for it, and says so', async () => {
    const provider = await one.registry('/registry?providers=ollama,openai')
    expect(Object.keys(provider.models)).toHaveLength(8)
    expect(provider.warnings).toEqual([expect.stringContaining("'ollama'")])
    const capability = await one.registry('/registry?capabilities=telepathy')
    expect(capability.models).toEqual({})
    expect(capability.warnings).toEqual([expect.stringContaining("'telepathy'")])
    expect(capability.version).toBe('anthropic@3+google@2+openai@2')
  })

  it('takes an empty filter as absent and refuses one that is no list of names', async () => {
    expect(await keys('/registry?providers=&capabilities=,')).toHaveLength(20)
    expect((await one.get('/registry?capabilities=a%00b')).status).toBe(422)
    expect((await one.get('/registry?providers=a/b')).status).toBe(422)
    const many = Array.from({ length: 33 }, (_, index) => `c${index}`).join(',')
    expect((await one.get(`/registry?capabilities=${many}`)).status).toBe(422)
  })

  it('gives equal filters the same ETag however they are written, and other filters another one', async () => {
    const etagOf = async (path: string) => (await one.get(path)).headers.get('etag')
    const etag = await etagOf('/registry?providers=google,openai')
    expect(await etagOf('/registry?providers=openai,,google,openai')).toBe(etag)
    expect(await etagOf('/registry?providers=openai')).not.toBe(etag)
  })
})

describe('archived versions', () => {
  it('merges a number over the providers that have it', async () => {
    const first = await one.registry('/registry/v/1/registry.json')
    expect(first.version).toBe('google@1+openai@1')
    const second = await one.registry('/registry/v/2/registry.json')
    expect(second.version).toBe('anthropic@2+google@2+openai@2')
    expect((await one.registry('/registry?version=2')).models).toEqual(second.models)
  })

  it('takes the version of an earlier answer back, with filters, whether the plus was escaped or not', async () => {
    const pinned = await one.registry('/registry?version=anthropic@2%2Bopenai@1')
    expect(pinned.version).toBe('anthropic@2+openai@1')
    expect(await one.registry('/registry?version=anthropic@2+openai@1')).toEqual(pinned)
    expect(await keys('/registry?version=anthropic@2+openai@1&providers=openai')).toEqual(
      Object.keys(pinned.models).filter((key) => key.startsWith('openai:')),
    )
    const now = await one.registry()
    expect((await one.registry(`/registry?version=${encodeURIComponent(now.version)}`)).models).toEqual(now.models)
  })

  it('may be kept for good where no provider can still reach the number', async () => {
    const immutable = 'public, max-age=31536000, immutable'
    const cacheControl = async (path: string) => (await one.get(path)).headers.get('cache-control')
    expect(await cacheControl('/registry/v/1/registry.json')).toBe(immutable)
    expect(await cacheControl('/registry/v/2/registry.json')).toBe(immutable)
    expect(await cacheControl('/registry?version=openai@1')).toBe(immutable)
    expect(await cacheControl('/registry/openai/v/1/models.json')).toBe(immutable)
    // Google and OpenAI are at 2: the answer for 3 gains their models when they get there.
    expect(await cacheControl('/registry/v/3/registry.json')).toBe('public, max-age=60')
  })

  it('is a 404 problem where no provider has the number, or one lacks its pinned version', async () => {
    for (const path of [
      '/registry/v/9/registry.json',
      '/registry?version=9',
      '/registry?version=anthropic@1+openai@1',
    ]) {
      const { status, json, headers } = await one.get(path)
      expect([path, status]).toEqual([path, 404])
      expect(json).toMatchObject({ code: 'not-found' })
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })

  it('refuses what is no number from 1 to a million', async () => {
    for (const n of ['0', '-1', '01', '1.5', 'x', '1000001', '99999999999999999999']) {
      expect([n, (await one.get(`/registry/v/${n}/registry.json`)).status]).toEqual([n, 422])
      expect([n, (await one.get(`/registry/openai/v/${n}/models.json`)).status]).toEqual([n, 422])
    }
    expect((await one.get('/registry?version=latest')).status).toBe(422)
    expect((await one.get('/registry?version=openai@1+openai@2')).status).toBe(422)
  })
})
