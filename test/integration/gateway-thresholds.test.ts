import { afterAll, describe, expect, test } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createThresholds } from '../../src/features/gateway/thresholds.js'
import { createLogger } from '../../src/platform/logger.js'
import { openRedis, type Redis } from '../../src/platform/redis.js'
import { eventually } from '../support/eventually.js'
import { REDIS_MISSING, startRedis } from '../support/redis-server.js'

const project = (name: string) => name as ProjectId

describe('a threshold in memory', () => {
  const thresholds = createThresholds(undefined, 0.5, () => 0)

  test('is the configured one at first, moves, and stays in its bounds', async () => {
    const one = project('one')
    expect(thresholds.read(one)).toBe(0.5)
    expect(await thresholds.move(one, 0.02)).toBeCloseTo(0.52)
    expect(thresholds.read(one)).toBeCloseTo(0.52)
    expect(await thresholds.move(one, 5)).toBe(0.8)
    expect(await thresholds.move(one, -5)).toBe(0.2)
    expect(thresholds.read(project('other'))).toBe(0.5)
  })

  test('is forgotten with its project', async () => {
    const gone = project('gone')
    await thresholds.move(gone, 0.02)
    expect(await thresholds.erase(gone)).toBe(1)
    expect(await thresholds.erase(gone)).toBe(0)
    expect(thresholds.read(gone)).toBe(0.5)
  })
})

describe.skipIf(REDIS_MISSING !== null)('a threshold in Redis', async () => {
  const redis = await startRedis()
  const clients: Redis[] = []
  /** One instance of the service, which reads again at once. */
  const instance = async (freshMs = 0) => {
    const client = openRedis(redis.url, createLogger('silent'))
    clients.push(client)
    await eventually(async () => expect(await client.ping()).toBe('PONG'))
    return createThresholds(client, 0.5, () => 0, freshMs)
  }
  const [one, two] = await Promise.all([instance(), instance()])
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await redis.close()
  })

  test('is one for all instances, and no step between them is lost', async () => {
    const shared = project('shared')
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).move(shared, 0.01)))
    expect(await one.read(shared)).toBeCloseTo(0.7)
    expect(await two.read(shared)).toBeCloseTo(0.7)
    expect(await two.move(shared, 9)).toBe(0.8)
    expect(await one.read(project('another'))).toBe(0.5)
  })

  test('is read from memory while that is fresh', async () => {
    const [slow, held] = [await instance(1_000), project('held')]
    expect(await slow.read(held)).toBe(0.5)
    await one.move(held, 0.02)
    expect(slow.read(held)).toBe(0.5)
  })

  test('is forgotten with its project, for every instance that reads it', async () => {
    const gone = project('gone')
    await one.move(gone, 0.02)
    expect(await two.erase(gone)).toBe(1)
    expect(await one.read(gone)).toBe(0.5)
  })

  test('goes on in each instance while Redis is away', async () => {
    const alone = project('alone')
    await one.move(alone, 0.02)
    await redis.kill()
    expect(await one.read(alone)).toBeCloseTo(0.52)
    expect(await one.move(alone, 0.02)).toBeCloseTo(0.54)
    expect(await one.erase(alone)).toBe(1)
  })
})
