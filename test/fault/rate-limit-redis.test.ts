import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/platform/logger.js'
import { createRateLimit } from '../../src/platform/rate-limit.js'
import { openRedis, type Redis } from '../../src/platform/redis.js'
import { eventually } from '../support/eventually.js'
import { REDIS_MISSING, startRedis, type TestRedis } from '../support/redis-server.js'

const why = REDIS_MISSING === null ? '' : ` (${REDIS_MISSING})`

describe.skipIf(REDIS_MISSING !== null)(`a rate limit with Redis${why}`, () => {
  let server: TestRedis
  const clients: Redis[] = []

  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect()
    await server.close()
  })

  async function connect(): Promise<Redis> {
    const client = openRedis(server.url, createLogger('silent'))
    clients.push(client)
    await eventually(() => client.ping())
    return client
  }

  test('is one allowance for all instances', async () => {
    const one = createRateLimit('key', 4, await connect(), 'requests')
    const other = createRateLimit('key', 4, await connect(), 'requests')
    for (const limit of [one, other, one, other]) await limit('id')
    await expect(one('id')).rejects.toMatchObject({ code: 'too-many-requests' })
    await expect(other('id')).rejects.toMatchObject({ extras: { retryAfterSeconds: expect.any(Number) } })
    await expect(other('another id')).resolves.toBeUndefined()
  })

  test('goes on alone, still bounded, when Redis dies', async () => {
    const redis = await connect()
    const limit = createRateLimit('key', 2, redis, 'requests')
    await limit('id')
    await server.kill()
    await eventually(() => expect(redis.status).not.toBe('ready'))
    await limit('id')
    await limit('id')
    await expect(limit('id')).rejects.toMatchObject({ code: 'too-many-requests' })
  })

  test('gives up a connection to a Redis that hangs, and comes back when it answers', async () => {
    const redis = await connect()
    const limit = createRateLimit('key', 2, redis, 'requests')
    await limit('id')
    server.freeze()
    try {
      await limit('id')
      // Until then every request would wait for it, and leave a command in the memory.
      await eventually(() => expect(redis.status).not.toBe('ready'))
      await limit('id')
      await expect(limit('id')).rejects.toMatchObject({ code: 'too-many-requests' })
    } finally {
      server.thaw()
    }
    await eventually(() => expect(redis.status).toBe('ready'))
    await limit('another id')
  })

  test('works where Redis was never there', async () => {
    await server.kill()
    const redis = openRedis(server.url, createLogger('silent'))
    clients.push(redis)
    const limit = createRateLimit('key', 1, redis, 'requests')
    await limit('id')
    await expect(limit('id')).rejects.toMatchObject({ code: 'too-many-requests' })
  })
})
