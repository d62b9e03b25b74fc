import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { BUNDLED_AT } from '../../src/features/registry/bundled-registry.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  type RegistryInstance,
  type RegistryInstanceOptions,
  START_OF_TIME,
  startRegistryInstance,
  TTL_SECONDS,
} from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

const BUNDLED = 'anthropic@9+google@5+openai@7'
const FROM_ORIGIN = 'anthropic@3+google@2+openai@2'

let database: TestDatabase
let origin: RegistryOrigin
let sql: Sql
const instances: RegistryInstance[] = []

beforeAll(async () => {
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
})
beforeEach(async () => {
  database = await cloneDatabase()
  sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
})
afterEach(async () => {
  await origin.fail(null)
  for (const instance of instances.splice(0)) await instance.close()
  await sql.end()
  await database.drop()
})
afterAll(() => origin.close())

async function start(options: Partial<RegistryInstanceOptions> = {}): Promise<RegistryInstance> {
  const given = { databaseUrl: database.url, originUrl: origin.url, fetchMsMax: 1_000, bundled: true, ...options }
  const instance = await startRegistryInstance(given)
  instances.push(instance)
  return instance
}

const sourceOf = async (one: RegistryInstance, path: string) => (await one.get(path)).headers.get('x-registry-source')

describe('a start without the origin and without a kept copy', () => {
  beforeEach(() => origin.fail('refused'))

  it('serves the bundled registry, marked as such, and to be asked for again', async () => {
    const one = await start()
    const registry = await one.registry()
    expect([registry.version, Object.keys(registry.models).length]).toEqual([BUNDLED, 124])
    expect(registry.warnings).toEqual(
      ['anthropic', 'google', 'openai'].map(
        (name) => `${name}: bundled copy of 2026-08-18; the origin was never reached.`,
      ),
    )
    for (const path of ['/registry', '/registry.json?providers=google', '/registry/openai/models.json']) {
      const { status, headers } = await one.get(path)
      expect([path, status, headers.get('x-registry-source')]).toEqual([path, 200, 'bundled'])
      expect(headers.get('cache-control')).toBe('public, no-cache')
      expect(headers.get('age')).toBe(String((START_OF_TIME - BUNDLED_AT) / 1000))
      const again = await one.get(path, { 'If-None-Match': headers.get('etag') ?? '' })
      expect([again.status, again.headers.get('x-registry-source')]).toEqual([304, 'bundled'])
    }
  })

  it('prices by it, under the versions that the registry gave these prices', async () => {
    const one = await start()
    expect(await one.feature.registryLoaded()).toBe(true)
    const found = one.feature.findPrice('openai', 'gpt-4o-mini')
    expect(found).toMatchObject({ status: 'found', registryVersion: 'openai@7', prices: { unit: { input: 150_000n } } })
    expect(one.feature.findPrice('openai', 'no-such-model')).toMatchObject({ status: 'unknown_model' })
    expect(one.feature.currentVersion('google')).toBe('google@5')
  })

  it('gives its versions back when they are asked for by number, and not for good; others it cannot tell', async () => {
    const one = await start()
    for (const path of ['/registry?version=anthropic@9%2Bopenai@7', '/registry/google/v/5/models.json']) {
      const { status, headers } = await one.get(path)
      expect([path, status, headers.get('x-registry-source')]).toEqual([path, 200, 'bundled'])
      expect(headers.get('cache-control')).toBe('public, max-age=60')
    }
    expect((await one.get('/registry/google/v/4/models.json')).status).toBe(503)
    expect((await one.get('/registry/google/v/400/models.json')).status).toBe(503)
  })

  it('keeps nothing of it, and gives way to the origin as soon as that answers', async () => {
    const one = await start()
    let loads = 0
    one.feature.onLoaded(() => {
      loads += 1
    })
    const before = await one.get('/registry')
    expect(loads).toBe(1)
    expect(await sql`select path from registry_files`).toEqual([])
    await origin.fail(null)
    one.advance(60)
    await eventually(async () => expect((await one.registry()).version).toBe(FROM_ORIGIN))
    const after = await one.get('/registry')
    expect(await one.registry()).not.toHaveProperty('warnings')
    expect(after.headers.get('x-registry-source')).toBe('origin')
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'))
    expect(one.feature.findPrice('openai', 'gpt-4o-mini')).toMatchObject({ registryVersion: 'openai@2' })
    expect(loads).toBe(4)
  })

  it('warns once for all files, says what serves, and says once that it is over', async () => {
    const lines: { level: number; msg: string; failed?: object; serving?: object }[] = []
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
    await origin.fail('status-500')
    const one = await start({ logger })
    await one.registry()
    for (let round = 0; round < 3; round++) {
      origin.forget()
      await eventually(async () => {
        one.advance(60)
        await one.registry()
        expect(origin.requests()).toHaveLength(4)
      })
    }
    const warnings = () => lines.filter(({ level }) => level >= 40)
    expect(warnings()).toHaveLength(1)
    expect(Object.keys(warnings()[0]?.failed ?? {})).toHaveLength(4)
    expect(warnings()[0]?.serving).toMatchObject({ 'openai/models.json': 'bundled', 'manifest.json': 'nothing' })
    await origin.fail(null)
    // A round that failed late has its next try late: the clock goes on until that has come.
    await eventually(async () => {
      one.advance(60)
      expect((await one.registry()).version).toBe(FROM_ORIGIN)
    })
    await eventually(() => expect(lines.filter(({ msg }) => msg.includes('refreshed again'))).toHaveLength(1))
    expect(warnings()).toHaveLength(1)
  })

  it('has no manifest, and says that there is none until the origin answers', async () => {
    const one = await start()
    await one.registry()
    const { status, headers, text } = await one.get('/registry/manifest.json')
    expect([status, JSON.parse(text)]).toEqual([
      503,
      expect.objectContaining({
        detail: expect.stringMatching(/manifest\.json was never loaded.*nor is it in the bundled copy/),
      }),
    ])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('tells the operator', async () => {
    const one = await start()
    expect(one.feature.summary()).toBe(
      `${BUNDLED}, bundled copy of 2026-08-18 until ${new URL(origin.url).host} answers`,
    )
    const { ok, detail } = await one.feature.check()
    expect([ok, detail]).toEqual([false, expect.stringContaining('google@5: 28 models, bundled copy of 2026-08-18')])
  })
})

describe('the bundled registry', () => {
  it('is not used by a request that came before the first load and can have the origin’s', async () => {
    const release = origin.hold()
    const one = await start()
    expect(one.feature.findPrice('openai', 'gpt-4o-mini')).toEqual({ status: 'no_registry' })
    expect(one.feature.currentVersion('openai')).toBe('openai@7')
    const responses = Promise.all([one.get('/registry'), one.get('/registry/google/models.json')])
    const loaded = one.feature.registryLoaded()
    release()
    expect((await responses).map(({ headers }) => headers.get('x-registry-source'))).toEqual(['origin', 'origin'])
    expect(await loaded).toBe(true)
    expect(one.feature.currentVersion('openai')).toBe('openai@2')
    expect(one.feature.summary()).toBe(`${FROM_ORIGIN}, refreshed from ${new URL(origin.url).host}`)
  })

  it('stands in for one provider alone, and only what holds it is marked', async () => {
    await origin.fail('status-500', 'google/')
    const one = await start()
    expect((await one.registry()).version).toBe('anthropic@3+google@5+openai@2')
    expect(await sourceOf(one, '/registry')).toBe('bundled')
    expect(await sourceOf(one, '/registry?providers=openai')).toBe('origin')
    expect(await sourceOf(one, '/registry/openai/models.json')).toBe('origin')
  })

  it('takes no place of a copy that the origin served once, however old that is', async () => {
    await (await start()).registry()
    await eventually(async () => expect(await sql`select path from registry_files`).toHaveLength(4))
    await origin.fail('refused')
    const two = await start({ atSeconds: 1000 * TTL_SECONDS })
    expect((await two.registry()).version).toBe(FROM_ORIGIN)
    expect(await sourceOf(two, '/registry')).toBe('origin')
    expect(two.feature.findPrice('openai', 'gpt-4o-mini')).toMatchObject({ registryVersion: 'openai@2' })
  })
})

describe('a file that comes into Postgres while the origin is away', () => {
  it('is found by a running instance at its next try', async () => {
    await origin.fail('refused')
    const one = await start()
    await one.registry()
    const body = Buffer.from(JSON.stringify({ provider: 'google', version: 6, models: { 'google:new': {} } }))
    const at = new Date(START_OF_TIME)
    await sql`insert into registry_files (path, sha256, provider, provider_version, body, first_fetched_at, last_fetched_at)
      values ('google/models.json', 'any', 'google', 6, ${body}, ${at}, ${at})`
    one.advance(60)
    await eventually(async () => expect((await one.registry()).version).toBe('anthropic@9+google@6+openai@7'))
    expect(await sourceOf(one, '/registry/google/models.json')).toBe('origin')
  })
})
