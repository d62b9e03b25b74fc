import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../src/platform/logger.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  type RegistryInstance,
  type RegistryInstanceOptions,
  startRegistryInstance,
  TTL_SECONDS,
} from '../support/feature-app.js'
import {
  type FailMode,
  REGISTRY_FIXTURES,
  type RegistryOrigin,
  startRegistryOrigin,
} from '../support/registry-origin.js'

/** Every way to fail that is not the plain "no such file". Slow ones are slower than the fetch may take. */
const MODES: FailMode[] = [
  'status-500',
  'hang',
  'stall',
  'truncated',
  'half-json',
  'html',
  'empty-object',
  'empty-models',
  'reset',
  'refused',
  'missing',
]
const ALL = 'anthropic@3+google@2+openai@2'

let empty: TestDatabase
let origin: RegistryOrigin
const instances: RegistryInstance[] = []

beforeAll(async () => {
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
})
beforeEach(async () => {
  empty = await cloneDatabase()
})
afterEach(async () => {
  await origin.fail(null)
  for (const instance of instances.splice(0)) await instance.close()
  await empty.drop()
})
afterAll(() => origin.close())

async function start(options: Partial<RegistryInstanceOptions> = {}): Promise<RegistryInstance> {
  const given = { databaseUrl: empty.url, originUrl: origin.url, fetchMsMax: 1_000, ...options }
  const instance = await startRegistryInstance(given)
  instances.push(instance)
  return instance
}

/** An instance that has loaded everything, with the origin failing from here on and the time to live over. */
async function loadedThen(mode: FailMode, prefix = ''): Promise<RegistryInstance> {
  const one = await start()
  expect((await one.registry()).version).toBe(ALL)
  await origin.fail(mode, prefix)
  one.advance(TTL_SECONDS)
  return one
}

describe.each(MODES)('an origin that answers with %s', (mode) => {
  it('is a 503 problem with Retry-After where nothing was ever loaded, and serves once it works', async () => {
    await origin.fail(mode)
    const one = await start()
    const { status, json, headers } = await one.get('/registry')
    expect([status, json]).toEqual([503, expect.objectContaining({ code: 'registry-unavailable' })])
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await one.feature.registryLoaded()).toBe(false)
    await origin.fail(null)
    one.advance(60)
    await eventually(async () => expect((await one.registry()).version).toBe(ALL))
  })

  it('takes nothing from what is served: the last good copy, unchanged but for a warning that stays the same', async () => {
    const one = await start()
    const before = await one.registry()
    await origin.fail(mode)
    one.advance(TTL_SECONDS)
    await eventually(async () => expect((await one.registry()).warnings).toHaveLength(3))
    const { warnings, ...rest } = await one.registry()
    expect(rest).toEqual(before)
    expect(warnings).toEqual(
      ['anthropic', 'google', 'openai'].map(
        (name) => `${name}: the copy is stale; the origin last confirmed it at 2026-09-01T00:00:00.000Z.`,
      ),
    )
    const etag = (await one.get('/registry')).headers.get('etag')
    one.advance(3600)
    await eventually(async () => expect((await one.feature.check()).ok).toBe(false))
    const later = await one.get('/registry')
    expect(later.headers.get('etag')).toBe(etag)
    expect(later.headers.get('age')).toBe(String(TTL_SECONDS + 3600))
  })
})

it('says nothing of a fetch that the end of the instance breaks off', async () => {
  const logger = createLogger('silent')
  const warned = vi.spyOn(logger, 'warn')
  await origin.fail('hang')
  origin.forget()
  const one = await startRegistryInstance({ databaseUrl: empty.url, originUrl: origin.url, fetchMsMax: 30_000, logger })
  await eventually(() => expect(origin.requests()).toHaveLength(4))
  await one.close()
  expect(warned).not.toHaveBeenCalled()
})

describe('one provider that fails', () => {
  it('takes only itself away where it was never loaded, and the answer must be asked for again', async () => {
    await origin.fail('html', 'google/')
    const one = await start()
    const registry = await one.registry()
    expect(registry.version).toBe('anthropic@3+openai@2')
    expect(Object.keys(registry.models)).toHaveLength(13)
    expect(registry.warnings).toEqual(['google: never loaded; its models are missing here.'])
    expect((await one.get('/registry')).headers.get('cache-control')).toBe('public, no-cache')
    expect((await one.get('/registry/google/models.json')).status).toBe(503)
    expect(one.feature.findPrice('google', 'gemini-2.5-pro')).toEqual({ status: 'no_registry' })
  })

  it('keeps a first request no longer than one fetch may take, and gives it the others', async () => {
    await origin.fail('hang', 'anthropic/')
    const one = await start()
    expect((await one.registry()).version).toBe('google@2+openai@2')
  })

  it('is the only one that is warned of and retried', async () => {
    const one = await loadedThen('status-500', 'openai/')
    origin.put('google/models.json', googleAt(3))
    origin.forget()
    await eventually(async () => expect((await one.registry()).version).toBe('anthropic@3+google@3+openai@2'))
    await eventually(async () => expect((await one.registry()).warnings).toHaveLength(1))
    await eventually(() => expect(origin.requests()).toHaveLength(4))
    expect((await one.registry('/registry?providers=google')).warnings).toBeUndefined()
    origin.forget()
    one.advance(2)
    await eventually(async () => {
      await one.registry()
      expect(origin.requests()).toEqual(['openai/models.json'])
    })
    origin.put('google/models.json', googleAt(2))
  })
})

describe('while the origin fails', () => {
  it('it is asked again after a pause, not at every request', async () => {
    const one = await loadedThen('status-500')
    origin.forget()
    await eventually(async () => expect((await one.registry()).warnings).toHaveLength(3))
    for (let request = 0; request < 20; request++) {
      await one.registry()
      // A round trip to the origin: time enough for a fetch that should not be.
      await (await fetch(`${origin.url}probe`)).text()
    }
    expect(origin.requests().filter((path) => path !== 'probe')).toHaveLength(4)
  })

  it('the warning is gone, and the ETag the first one again, as soon as it works with the same content', async () => {
    const one = await start()
    await one.registry()
    const etag = (await one.get('/registry')).headers.get('etag')
    await origin.fail('reset')
    one.advance(TTL_SECONDS)
    await eventually(async () => expect((await one.get('/registry')).headers.get('etag')).not.toBe(etag))
    await origin.fail(null)
    one.advance(60)
    await eventually(async () => expect((await one.get('/registry')).headers.get('etag')).toBe(etag))
  })

  it('a start serves the last good copies at once, with the ETag that they had', async () => {
    const one = await start()
    const before = await one.get('/registry')
    const manifest = await one.get('/registry/manifest.json')
    await one.close()
    instances.length = 0
    await origin.fail('refused')
    const two = await start({ atSeconds: 30 })
    const after = await two.get('/registry')
    expect([after.status, after.text]).toEqual([200, before.text])
    expect(after.headers.get('etag')).toBe(before.headers.get('etag'))
    expect(after.headers.get('age')).toBe('30')
    expect((await two.get('/registry/manifest.json')).text).toBe(manifest.text)
    expect(two.feature.findPrice('openai', 'gpt-4o-mini').status).toBe('found')
  })

  it('a version that goes back to an older one is believed', async () => {
    const one = await start()
    await one.registry()
    origin.put('google/models.json', googleAt(1))
    one.advance(TTL_SECONDS)
    await eventually(async () => expect((await one.registry()).version).toBe('anthropic@3+google@1+openai@2'))
    origin.put('google/models.json', googleAt(2))
  })
})

const googleAt = (version: number) =>
  JSON.stringify({
    ...{ provider: 'google', version, updated_at: '2026-08-18T17:30:40.820947' },
    models: { 'google:gemini-2.5-pro': { is_active: true } },
  })
