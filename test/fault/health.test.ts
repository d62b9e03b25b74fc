import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { type BreakingProxy, startBreakingProxy } from '../support/breaking-proxy.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let proxy: BreakingProxy
let service: RunningService | undefined

beforeEach(async () => {
  database = await cloneDatabase()
  proxy = await startBreakingProxy(database.url)
})
afterEach(async () => {
  await service?.close()
  await proxy.close()
  await database.drop()
})

const ask = async (path: string) => {
  const { status, json } = (await service?.call(path)) ?? {}
  return [status, json]
}
const WELL = { status: 'healthy', database: 'connected' }
const READY = { status: 'ready', checks: { database: true, accepting: true, usage: true } }

test('a service whose database is away is alive, but neither healthy nor ready, until it is back', async () => {
  service = await startService({ LLMRING_DATABASE_URL: proxy.url })
  expect(await ask('/health')).toEqual([200, WELL])
  expect(await ask('/readyz')).toEqual([200, READY])
  proxy.admit('reset')
  proxy.break('reset')
  expect(await ask('/health')).toEqual([503, { status: 'unhealthy', database: 'disconnected' }])
  const unready = { status: 'not-ready', checks: { ...READY.checks, database: false } }
  expect(await ask('/readyz')).toEqual([503, unready])
  expect(await ask('/livez')).toEqual([200, { status: 'alive' }])
  const refused = await service.call('/api/v1/logs')
  expect([refused.status, refused.json.code]).toEqual([503, 'database-unavailable'])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  proxy.admit('all')
  await eventually(async () => expect(await ask('/health')).toEqual([200, WELL]))
  await eventually(async () => expect(await ask('/readyz')).toEqual([200, READY]))
})

test('a service that could not make the partitions of usage is healthy, but not ready', async () => {
  const sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: false, pooled: true })
  await sql`alter table llmring.usage_logs rename to usage_logs_elsewhere`
  await sql.end()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
  expect(await ask('/health')).toEqual([200, WELL])
  const unready = { status: 'not-ready', checks: { ...READY.checks, usage: false } }
  expect(await ask('/readyz')).toEqual([503, unready])
})
