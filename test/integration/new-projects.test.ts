import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NO_PROJECT } from '../../src/access/principal.js'
import { createAnnounce } from '../../src/db/messages.js'
import { createTransact } from '../../src/db/transact.js'
import { createKeyHashing } from '../../src/features/projects/key-text.js'
import { createProvisionProject, type ProvisionProject } from '../../src/features/projects/provision-project.js'
import { createProjectStore } from '../../src/features/projects/store.js'
import { createRateLimit } from '../../src/platform/rate-limit.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'
import { type RunningService, startService } from '../support/service.js'

let database: TestDatabase
beforeAll(async () => {
  database = await cloneDatabase()
})
afterAll(() => database.drop())

const bind = async (service: RunningService, key: string, alias = 'a') =>
  service.call('/api/v1/aliases/bind', { key, json: { alias, model: 'x:y' } })
const countProjects = async ({ service }: RunningService) => {
  const [row] = await service.resources.database.sql`select count(*)::integer as n from projects`
  return Number(row?.['n'])
}

describe('a cap of two new projects a minute', () => {
  let service: RunningService
  beforeAll(async () => {
    service = await startService({ LLMRING_DATABASE_URL: database.url, LLMRING_NEW_PROJECTS_PER_MINUTE: '2' })
  })
  afterAll(() => service.close())

  it('is touched once by 100 first writes with one key, passes a second project and refuses a third', async () => {
    const before = await countProjects(service)
    // On a slow machine the last ones are told to come again.
    const write = (alias: string) =>
      eventually(async () => {
        const written = await bind(service, 'stampede', alias)
        expect(written.status).not.toBe(503)
        return written
      })
    const writes = Array.from({ length: 100 }, (_, index) => write(`a${index}`))
    expect(new Set((await Promise.all(writes)).map(({ status }) => status))).toEqual(new Set([200]))
    expect((await bind(service, 'second')).status).toBe(200)
    const third = await bind(service, 'third')
    expect([third.status, third.json]).toMatchObject([429, { code: 'too-many-requests' }])
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await bind(service, 'third')).status).toBe(429)
    expect((await bind(service, 'stampede')).status).toBe(200)
    expect(await countProjects(service)).toBe(before + 2)
  })
})

describe.skipIf(REDIS_MISSING !== null)(`a cap that two instances share${REDIS_MISSING ?? ''}`, () => {
  let redis: TestRedis
  let instances: RunningService[]
  beforeAll(async () => {
    redis = await startRedis()
    const settings = { LLMRING_REDIS_URL: redis.url, LLMRING_NEW_PROJECTS_PER_MINUTE: '1' }
    const start = () => startService({ LLMRING_DATABASE_URL: database.url, ...settings })
    instances = [await start(), await start()]
  })
  afterAll(async () => {
    for (const instance of instances) await instance.close()
    await redis.close()
  })

  it('is touched once by first writes with one key on both', async () => {
    const writes = instances.flatMap((instance) => Array.from({ length: 20 }, () => bind(instance, 'on-both')))
    expect(new Set((await Promise.all(writes)).map(({ status }) => status))).toEqual(new Set([200]))
    for (const instance of instances) expect((await bind(instance, 'one-more')).status).toBe(429)
  })
})

describe('while the cap is used up', () => {
  let service: RunningService
  let provision: ProvisionProject
  let now: number
  let transactions: number
  const hashing = createKeyHashing(undefined, undefined)
  const newcomer = (key: string) =>
    provision({ projectId: NO_PROJECT, role: 'write', keyId: null, newKey: { hash: hashing.hash(key) } })

  beforeAll(async () => {
    service = await startService({ LLMRING_DATABASE_URL: database.url })
  })
  afterAll(() => service.close())
  beforeEach(() => {
    now = 0
    transactions = 0
    const { sql, orm } = service.service.resources.database
    const transact = createTransact(sql)
    provision = createProvisionProject({
      transact: (work) => {
        transactions += 1
        return transact(work)
      },
      store: createProjectStore({ sql, orm, announce: createAnnounce('llmring') }),
      ...{ hashing, forget: () => undefined, clock: () => now },
      newProjects: createRateLimit('test', 1, undefined, 'new projects', () => now),
    })
  })

  it('a new key costs no transaction, and one that another instance gave its project passes', async () => {
    await newcomer('first')
    await expect(newcomer('waits')).rejects.toMatchObject({ code: 'too-many-requests' })
    expect(transactions).toBe(2)
    now += 10_000
    await expect(newcomer('waits')).rejects.toMatchObject({ extras: { retryAfterSeconds: 50 } })
    await bind(service, 'made-elsewhere')
    expect(await newcomer('made-elsewhere')).toMatchObject({ role: 'write', newKey: null })
    expect(transactions).toBe(2)
    now += 50_001
    expect(await newcomer('waits')).toMatchObject({ newKey: null })
  })

  it('first writes with one key share one transaction, however many there are at once', async () => {
    const made = await Promise.all(Array.from({ length: 100 }, () => newcomer('at once')))
    expect([new Set(made.map(({ projectId }) => projectId)).size, transactions]).toEqual([1, 1])
  })

  it('a refused key leaves nothing behind', async () => {
    const before = await countProjects(service)
    await newcomer('lone')
    await expect(newcomer('refused')).rejects.toMatchObject({ code: 'too-many-requests' })
    const rows = await service.service.resources.database.sql`
      select 1 from project_keys where key_hash = ${Buffer.from(hashing.hash('refused'), 'hex')}`
    expect(rows.length).toBe(0)
    expect(await countProjects(service)).toBe(before + 1)
  })
})
