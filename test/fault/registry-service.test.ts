import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { REDIS_MISSING, startRedis } from '../support/redis-server.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { type RunningService, startService } from '../support/service.js'

const ALL = 'anthropic@3+google@2+openai@2'

let origin: RegistryOrigin
let databases: TestDatabase[]
const services: RunningService[] = []

beforeAll(async () => {
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
})
beforeEach(async () => {
  databases = [await cloneDatabase(), await cloneDatabase()]
})
afterEach(async () => {
  await origin.fail(null)
  for (const service of services.splice(0)) await service.close()
  for (const database of databases) await database.drop()
})
afterAll(() => origin.close())

/** A whole service; `database` tells which of the two databases is its own. */
async function start(database: 0 | 1, settings: Record<string, string> = {}): Promise<RunningService> {
  const service = await startService({
    LLMRING_DATABASE_URL: databases[database]?.url ?? '',
    LLMRING_REGISTRY_BASE_URL: origin.url,
    LLMRING_REGISTRY_BUNDLED: 'false',
    ...settings,
  })
  services.push(service)
  return service
}

const event = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1_000_000, output_tokens: 0 }

describe('a whole service', () => {
  it.skipIf(REDIS_MISSING !== null)('takes from Redis what another one fetched, with the origin down', async () => {
    const redis = await startRedis()
    try {
      const one = await start(0, { LLMRING_REDIS_URL: redis.url })
      expect((await one.call('/registry')).json.version).toBe(ALL)
      await origin.fail('refused')
      const two = await start(1, { LLMRING_REDIS_URL: redis.url })
      await eventually(async () => expect((await two.call('/registry')).json.version).toBe(ALL))
    } finally {
      for (const service of services.splice(0)) await service.close()
      await redis.close()
    }
  })

  it('prices what waited, and nothing twice, when the registry loads while it runs', async () => {
    await origin.fail('refused')
    const one = await start(0)
    for (const id of ['a', 'b', 'c']) {
      const logged = await one.call('/api/v1/log', { json: { ...event, id_at_origin: id } })
      expect(logged.json).toMatchObject({ cost_status: 'no_registry' })
    }
    await origin.fail(null)
    await eventually(async () => {
      const { summary } = (await one.call('/api/v1/stats')).json
      expect(summary).toMatchObject({ total_requests: 3, unpriced_requests: 0, total_cost: '0.450000000000' })
    }, 20_000)
  })

  it('does not wait with prices where the bundled registry is used', async () => {
    await origin.fail('refused')
    const one = await start(0, { LLMRING_REGISTRY_BUNDLED: 'true' })
    expect((await one.call('/api/v1/log', { json: event })).json).toMatchObject({ cost_status: 'priced' })
  })
})
