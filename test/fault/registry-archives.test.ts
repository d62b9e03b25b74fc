import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { REGISTRY_LIMITS } from '../../src/features/registry/limits.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RegistryInstance, startRegistryInstance } from '../support/feature-app.js'
import {
  type FailMode,
  REGISTRY_FIXTURES,
  type RegistryOrigin,
  startRegistryOrigin,
} from '../support/registry-origin.js'

let database: TestDatabase
let origin: RegistryOrigin
let one: RegistryInstance

beforeAll(async () => {
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
})
beforeEach(async () => {
  database = await cloneDatabase()
  one = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url, fetchMsMax: 1_000 })
  await one.registry()
  origin.forget()
})
afterEach(async () => {
  await origin.fail(null)
  await one.close()
  await database.drop()
})
afterAll(() => origin.close())

const archives = () => origin.requests().filter((path) => path.includes('/v/'))

describe('an archived version', () => {
  it.each<FailMode>(['status-500', 'hang', 'truncated', 'html', 'empty-models', 'refused'])(
    'is 503, not 404, where the origin fails with %s, and is there when it works again',
    async (mode) => {
      await origin.fail(mode)
      for (const path of ['/registry/openai/v/1/models.json', '/registry/v/1/registry.json']) {
        const { status, json, headers } = await one.get(path)
        expect([path, status, json]).toEqual([path, 503, expect.objectContaining({ code: 'registry-unavailable' })])
        expect(headers.get('retry-after')).not.toBeNull()
        expect(headers.get('cache-control')).toBe('no-store')
      }
      await origin.fail(null)
      await eventually(async () => expect((await one.get('/registry/openai/v/1/models.json')).status).toBe(200))
    },
  )

  it('is never answered in part: one provider that fails is 503 for the merged number', async () => {
    await origin.fail('status-500', 'google/')
    expect((await one.get('/registry/v/2/registry.json')).status).toBe(503)
    expect((await one.get('/registry?version=2&providers=openai')).status).toBe(503)
    await origin.fail(null)
    await eventually(async () => {
      expect((await one.registry('/registry/v/2/registry.json')).version).toBe('anthropic@2+google@2+openai@2')
    })
  })

  it('that says it is another version is not taken', async () => {
    origin.put('openai/v/2/models.json', JSON.stringify({ provider: 'openai', version: 1, models: { 'openai:a': {} } }))
    expect((await one.get('/registry/openai/v/2/models.json')).status).toBe(503)
  })
})

describe('versions that do not exist', () => {
  it('are asked for once, and remembered for a minute', async () => {
    for (let request = 0; request < 5; request++) {
      expect((await one.get('/registry/anthropic/v/1/models.json')).status).toBe(404)
    }
    expect(archives()).toEqual(['anthropic/v/1/models.json'])
    one.advance(REGISTRY_LIMITS.missingMsMax / 1000 + 1)
    expect((await one.get('/registry/anthropic/v/1/models.json')).status).toBe(404)
    expect(archives()).toHaveLength(2)
  })

  it('are not asked for at all far beyond the newest one that is known', async () => {
    for (const n of [6, 7, 500, 999_999, 1_000_000]) {
      expect((await one.get(`/registry/v/${n}/registry.json`)).status).toBe(404)
    }
    expect(archives()).toEqual([])
  })

  it('cannot be used to hammer the origin, even where nothing was ever loaded', async () => {
    await one.close()
    await database.drop()
    database = await cloneDatabase()
    await origin.fail('missing')
    one = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url })
    const statuses = new Map<number, number>()
    for (let n = 1; n <= REGISTRY_LIMITS.archiveFetchesPerMinuteMax + 30; n++) {
      const { status } = await one.get(`/registry/openai/v/${n}/models.json`)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    expect(Object.fromEntries(statuses)).toEqual({ 404: REGISTRY_LIMITS.archiveFetchesPerMinuteMax, 503: 30 })
    expect(archives()).toHaveLength(REGISTRY_LIMITS.archiveFetchesPerMinuteMax)
  })
})
