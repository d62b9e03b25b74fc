import { randomBytes } from 'node:crypto'
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
  const { status, json, headers } = (await service?.call(path)) ?? {}
  const retryAfter = headers?.get('retry-after')
  return retryAfter == null ? [status, json] : [status, json, `again after ${retryAfter} s`]
}
const AGAIN = 'again after 1 s'
const operate = (url: string) =>
  createClient({ url, schema: 'llmring', connectionsMax: 1, prepare: false, pooled: true })
const WELL = { status: 'healthy', database: 'connected' }
const READY = { status: 'ready', checks: { database: true, accepting: true, usage: true, log: true } }

test('a service whose database is away is alive, but neither healthy nor ready, until it is back', async () => {
  service = await startService({ LLMRING_DATABASE_URL: proxy.url })
  expect(await ask('/health')).toEqual([200, WELL])
  expect(await ask('/readyz')).toEqual([200, READY])
  proxy.admit('reset')
  proxy.break('reset')
  expect(await ask('/health')).toEqual([503, { status: 'unhealthy', database: 'disconnected' }, AGAIN])
  const unready = { status: 'not-ready', checks: { ...READY.checks, database: false } }
  expect(await ask('/readyz')).toEqual([503, unready, AGAIN])
  // A balancer keeps it: what it knows is answered, and its neighbours have no other database.
  expect(await ask('/readyz?exclude=database')).toEqual([200, { ...unready, status: 'ready' }])
  expect(await ask('/livez')).toEqual([200, { status: 'alive' }])
  const refused = await service.call('/api/v1/logs')
  expect([refused.status, refused.json.code]).toEqual([503, 'database-unavailable'])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  proxy.admit('all')
  await eventually(async () => expect(await ask('/health')).toEqual([200, WELL]))
  await eventually(async () => expect(await ask('/readyz')).toEqual([200, READY]))
  service.service.startDraining()
  const leaving = { status: 'not-ready', checks: { ...READY.checks, accepting: false } }
  expect(await ask('/readyz?exclude=database')).toEqual([503, leaving, AGAIN])
})

test('a service whose role may not log in any more, or whose database is gone, says 503 until that is mended', async () => {
  const role = `shut_out_${randomBytes(6).toString('hex')}`
  const elsewhere = await cloneDatabase()
  const operator = operate(elsewhere.url)
  await operator.unsafe(`create role ${role} superuser login password 'right'`)
  const url = Object.assign(new URL(database.url), { username: role, password: 'right' })
  const running = await startService({ LLMRING_DATABASE_URL: url.href })
  service = running
  const logs = async () => {
    const { status, json, headers } = await running.call('/api/v1/logs')
    return status === 200 ? status : [status, json.code, headers.get('retry-after')]
  }
  const event = { provider: 'p', model: 'm', input_tokens: 1, output_tokens: 1 }
  const log = async () => (await running.call('/api/v1/log', { json: event })).status
  expect([await log(), await logs()]).toEqual([200, 200])

  const endSessions = `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`
  await operator.unsafe(`alter role ${role} nologin; ${endSessions}`)
  await eventually(async () => expect(await logs()).toEqual([503, 'database-unavailable', '1']))
  expect(await log()).toBe(503)
  await operator.unsafe(`alter role ${role} login`)
  await eventually(async () => expect([await log(), await logs()]).toEqual([200, 200]))

  await database.drop()
  await eventually(async () => expect(await logs()).toEqual([503, 'database-unavailable', '1']))
  expect(await log()).toBe(503)
  await running.close()
  service = undefined
  await operator.unsafe(`drop role ${role}`)
  await operator.end()
  await elsewhere.drop()
})

test('a service that could not make the partitions of usage is healthy, but not ready', async () => {
  const sql = operate(database.url)
  await sql`alter table llmring.usage_logs rename to usage_logs_elsewhere`
  await sql.end()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
  expect(await ask('/health')).toEqual([200, WELL])
  const unready = { status: 'not-ready', checks: { ...READY.checks, usage: false } }
  expect(await ask('/readyz')).toEqual([503, unready, AGAIN])
})
