import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSharedCache } from '../../src/features/registry/shared-cache.js'
import { createLogger } from '../../src/platform/logger.js'
import { openRedis, type Redis } from '../../src/platform/redis.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'
import {
  REGISTRY_FIXTURES,
  type RegistryInstance,
  type RegistryInstanceOptions,
  startRegistryInstance,
  TTL_SECONDS,
} from '../support/registry-instance.js'
import { type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

const ALL = 'anthropic@3+google@2+openai@2'
const FILES = ['anthropic/models.json', 'google/models.json', 'manifest.json', 'openai/models.json']

describe.skipIf(REDIS_MISSING !== null)(`the registry with Redis${REDIS_MISSING ? ` (${REDIS_MISSING})` : ''}`, () => {
  let database: TestDatabase
  let origin: RegistryOrigin
  let server: TestRedis
  const clients: Redis[] = []
  const instances: RegistryInstance[] = []

  beforeAll(async () => {
    database = await cloneDatabase()
  })
  beforeEach(async () => {
    server = await startRedis()
    origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  })
  afterEach(async () => {
    for (const instance of instances.splice(0)) await instance.close()
    for (const client of clients.splice(0)) client.disconnect()
    await origin.close()
    await server.close()
  })
  afterAll(() => database.drop())

  async function connect(): Promise<Redis> {
    const client = openRedis(server.url, createLogger('silent'))
    clients.push(client)
    await eventually(() => client.ping())
    return client
  }

  async function start(options: Partial<RegistryInstanceOptions> = {}): Promise<RegistryInstance> {
    const given = { databaseUrl: database.url, originUrl: origin.url, redis: await connect(), started: false }
    const instance = await startRegistryInstance({ ...given, ...options })
    instances.push(instance)
    return instance
  }

  it('two instances that start together fetch each file once, and give the same bytes and ETag', async () => {
    const [one, two] = [await start(), await start()]
    const release = origin.hold()
    const answers = Promise.all([one.get('/registry'), two.get('/registry')])
    await eventually(() => expect(origin.requests()).toHaveLength(4))
    release()
    const [first, second] = await answers
    expect(first.status).toBe(200)
    expect(second.text).toBe(first.text)
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(origin.requests().sort()).toEqual(FILES)
  })

  it('a later instance takes what another one fetched, and its age', async () => {
    const one = await start()
    expect((await one.registry()).version).toBe(ALL)
    const two = await start({ atSeconds: 45 })
    expect((await two.registry()).version).toBe(ALL)
    expect((await two.get('/registry')).headers.get('age')).toBe('45')
    expect(origin.requests()).toHaveLength(4)
  })

  it('a shared file that is older than its time to live, or is no file at all, is fetched anew', async () => {
    const one = await start()
    await one.registry()
    const later = await start({ atSeconds: TTL_SECONDS })
    await later.registry()
    expect(origin.requests()).toHaveLength(8)
    const client = await connect()
    const keys = (await client.keys('llmring:registry:*')).filter((key) => !key.endsWith(':lock'))
    expect(keys).toHaveLength(4)
    for (const key of keys) await client.set(key, '1788220800000\n<h1>not a registry</h1>')
    const third = await start({ atSeconds: TTL_SECONDS })
    expect((await third.registry()).version).toBe(ALL)
    expect(origin.requests()).toHaveLength(12)
  })

  it('a lock that its holder took to the grave delays a start, and does not stop it', async () => {
    const client = await connect()
    const one = await start({ fetchMsMax: 300 })
    await one.registry()
    const locks = (await client.keys('llmring:registry:*')).map((key) => `${key}:lock`)
    await client.flushall()
    for (const lock of locks) await client.set(lock, 'a dead process', 'PX', 60_000)
    origin.forget()
    const two = await start({ fetchMsMax: 300 })
    await eventually(async () => expect((await two.registry()).version).toBe(ALL))
    expect(origin.requests().sort()).toEqual(FILES)
    expect(await client.get(locks[0] ?? '')).toBe('a dead process')
  })

  it('a lock that expired and is another instance’s by now is left alone', async () => {
    const client = await connect()
    const shared = createSharedCache(client, { baseUrl: origin.url, fetchMsMax: 1_000, cacheSeconds: 60 })
    const lock = await shared.lock('a')
    const [key] = await client.keys('*:lock')
    await client.set(key ?? '', 'another instance')
    await shared.unlock('a', lock.kind === 'held' ? lock.token : '')
    expect(await client.get(key ?? '')).toBe('another instance')
    expect(await shared.lock('a')).toEqual({ kind: 'taken' })
  })

  it('leaves no lock behind, whether the origin answered or not', async () => {
    const client = await connect()
    await origin.fail('status-500')
    const one = await start()
    expect((await one.get('/registry')).status).toBe(503)
    expect(await client.keys('*:lock')).toEqual([])
    await origin.fail(null)
    one.advance(60)
    await eventually(async () => expect((await one.registry()).version).toBe(ALL))
    await eventually(async () => expect(await client.keys('*:lock')).toEqual([]))
  })

  it('killed in the middle of a run, it is missed by nobody: the instances fetch for themselves', async () => {
    const [one, two] = [await start(), await start()]
    expect((await one.registry()).version).toBe(ALL)
    expect((await two.registry()).version).toBe(ALL)
    await server.kill()
    origin.forget()
    for (const instance of [one, two]) {
      instance.advance(TTL_SECONDS)
      await eventually(async () => expect((await instance.get('/registry')).headers.get('age')).toBe('0'))
      expect(await instance.registry()).not.toHaveProperty('warnings')
    }
    expect(origin.requests()).toHaveLength(8)
    const three = await startRegistryInstance({
      ...{ databaseUrl: database.url, originUrl: origin.url, redis: clients[0] as Redis, started: false },
    })
    instances.push(three)
    expect((await three.registry()).version).toBe(ALL)
  })
})
