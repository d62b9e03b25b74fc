import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/platform/logger.js'
import { openRedis, type Redis } from '../../src/platform/redis.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import {
  type RegistryInstance,
  type RegistryInstanceOptions,
  startRegistryInstance,
  TTL_SECONDS,
} from '../support/feature-app.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

const ALL = 'anthropic@3+google@2+openai@2'

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
    const keys = await client.keys('llmring:registry:*')
    expect(keys).toHaveLength(4)
    for (const key of keys) await client.set(key, '1788220800000\n<h1>not a registry</h1>')
    const third = await start({ atSeconds: TTL_SECONDS })
    expect((await third.registry()).version).toBe(ALL)
    expect(origin.requests()).toHaveLength(12)
  })

  it('a shared file from an instance whose clock is ahead is not from the future', async () => {
    const ahead = await start({ atSeconds: 30 })
    await ahead.registry()
    const one = await start()
    expect((await one.get('/registry')).headers.get('age')).toBe('0')
    one.advance(10)
    expect((await one.get('/registry')).headers.get('age')).toBe('10')
    expect(origin.requests()).toHaveLength(4)
  })

  it('instances that start together do not wait for one another, and give the same bytes and ETag', async () => {
    const [one, two] = [await start(), await start()]
    const release = origin.hold()
    const responses = Promise.all([one.get('/registry'), two.get('/registry')])
    await eventually(() => expect(origin.requests()).toHaveLength(8))
    release()
    const [first, second] = await responses
    expect(first.status).toBe(200)
    expect(second.text).toBe(first.text)
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'))
  })

  it('what is bundled is never shared, and what another instance shared goes before it', async () => {
    const empty = await cloneDatabase()
    const bundled = { started: true, bundled: true, databaseUrl: empty.url }
    await origin.fail('status-500')
    const one = await start(bundled)
    expect((await one.get('/registry')).headers.get('x-registry-source')).toBe('bundled')
    expect(await (await connect()).keys('*')).toEqual([])
    await origin.fail(null)
    await (await start()).registry()
    await origin.fail('status-500')
    const three = await start(bundled)
    expect((await three.registry()).version).toBe(ALL)
    await Promise.all(instances.splice(0).map((instance) => instance.close()))
    await empty.drop()
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
