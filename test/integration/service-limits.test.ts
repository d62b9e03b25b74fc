import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createClient } from '../../src/db/client.js'
import { ALIAS_LIMITS } from '../../src/features/aliases/limits.js'
import { PROJECT_LIMITS } from '../../src/features/projects/limits.js'
import { RECEIPT_LIMITS } from '../../src/features/receipts/limits.js'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import type { Answer } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

const EVENT = { provider: 'openai', model: 'm', input_tokens: 1, output_tokens: 1, cost: 0.5 }

let database: TestDatabase
let service: RunningService
afterEach(async () => {
  await service.close()
  await database.drop()
})

/** The composed service, with these settings. */
async function start(settings: Record<string, string>): Promise<void> {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url, ...settings })
}

const logWith = (key: string, headers: Record<string, string> = {}): Promise<Answer> =>
  service.call('/api/v1/log', { key, json: EVENT, headers })

function expectRefused(answer: Answer, detail: RegExp): void {
  expect([answer.status, answer.json.code]).toEqual([429, 'too-many-requests'])
  expect(answer.json.detail).toMatch(detail)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
}

describe('a service whose setting says 2', () => {
  test('refuses the third request with one key, and none with another', async () => {
    await start({ LLMRING_RATE_LIMIT_PER_KEY: '2' })
    await logWith('one')
    await logWith('one')
    // The first request with a key that was unknown is counted under what is remembered of it, not under its id.
    await logWith('one')
    expectRefused(await logWith('one'), /^More than 2 requests with one key a minute/)
    expectRefused(await service.call('/api/v1/aliases/resolve?alias=a', { key: 'one' }), /one key/)
    expect((await logWith('other')).status).toBe(200)
  })

  test('refuses the third request from one address or IPv6 /64, and none from another', async () => {
    await start({ LLMRING_RATE_LIMIT_PER_ADDRESS: '2', LLMRING_TRUSTED_PROXIES: '1' })
    const from = (address: string) => service.call('/', { key: null, headers: { 'X-Forwarded-For': address } })
    for (const [one, other] of [
      ['203.0.113.1', '203.0.113.2'],
      ['2001:db8:0:1::1', '2001:db8:0:2::1'],
    ] as const) {
      expect([(await from(one)).status, (await from(one)).status]).toEqual([200, 200])
      expectRefused(await from(one), /^More than 2 requests from one address a minute/)
      expect((await from(other)).status).toBe(200)
    }
    const nowhere = (path: string) =>
      service.call(path, { key: null, method: 'PUT', headers: { 'X-Forwarded-For': '203.0.113.3' } })
    expect([(await nowhere('/nowhere')).status, (await nowhere('/api/v1/stats')).status]).toEqual([404, 405])
    expectRefused(await nowhere('/nowhere'), /^More than 2 requests from one address a minute/)
    expectRefused(await from('2001:db8:0:1:ffff::9'), /one address/)
    expectRefused(await from('::ffff:203.0.113.1'), /one address/)
    // A balancer's probes may come from the address of its clients.
    for (const probe of ['/livez', '/readyz', '/health']) {
      const response = await service.call(probe, { key: null, headers: { 'X-Forwarded-For': '203.0.113.1' } })
      expect(response.status).toBe(200)
    }
  })

  test('refuses the third new project, and no key that is known', async () => {
    await start({ LLMRING_NEW_PROJECTS_PER_MINUTE: '2' })
    expect([(await logWith('one')).status, (await logWith('other')).status]).toEqual([200, 200])
    expectRefused(await logWith('third'), /^More than 2 new projects a minute/)
    expect((await logWith('one')).status).toBe(200)
  })

  describe('of connections from one address', () => {
    const sockets: Socket[] = []
    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy()
    })
    const open = async (): Promise<Socket> => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
      sockets.push(socket)
      await once(socket, 'connect')
      return socket
    }

    test('closes the one that is idle longest for the third', async () => {
      await start({ LLMRING_CONNECTIONS_PER_ADDRESS: '2' })
      const [first, second] = [await open(), await open()]
      const gone = once(first, 'close')
      const third = await open()
      await gone
      expect([second.closed, third.closed]).toEqual([false, false])
      third.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n')
      expect(String((await once(third, 'data'))[0])).toMatch(/^HTTP\/1\.1 200/)
    })

    test('counts none that is closed', async () => {
      await start({ LLMRING_CONNECTIONS_PER_ADDRESS: '2' })
      for (const early of [await open(), await open()]) {
        early.end('GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
        early.resume()
        await once(early, 'close')
      }
      const first = await open()
      await open()
      await open()
      // Sooner than a silent connection is closed in any case.
      await eventually(() => expect(first.closed).toBe(true), 5_000)
    })

    test('counts none behind a proxy of ours', async () => {
      await start({ LLMRING_CONNECTIONS_PER_ADDRESS: '2', LLMRING_TRUSTED_PROXIES: '1' })
      const all = [await open(), await open(), await open()]
      for (const socket of all) socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n')
      for (const socket of all) expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200/)
    })
  })
})

describe('a route that takes less than the service', () => {
  test('takes a body of its own limit, and none of a byte more', async () => {
    await start({})
    const ROUTES: readonly (readonly [string, string, number, string])[] = [
      ['POST', '/api/v1/log', USAGE_LIMITS.bodyBytesMax, 'one'],
      ['POST', '/api/v1/aliases/bind', ALIAS_LIMITS.bindingBodyBytesMax, 'one'],
      ['PUT', '/api/v1/aliases/a', ALIAS_LIMITS.bindingBodyBytesMax, 'one'],
      ['POST', '/api/v1/receipts/issue', RECEIPT_LIMITS.bodyBytesMax, 'one'],
      ['POST', '/api/v1/receipts/', RECEIPT_LIMITS.bodyBytesMax, 'one'],
      ['POST', '/api/v1/admin/projects', PROJECT_LIMITS.bodyBytesMax, OPERATOR_KEY],
    ]
    for (const [method, path, bytesMax, key] of ROUTES) {
      const send = (bytes: number) =>
        service.call(path, { method, key, headers: { 'Content-Type': 'application/json' }, body: '[]'.padEnd(bytes) })
      const larger = await send(bytesMax + 1)
      expect([path, larger.status, larger.json.detail]).toEqual([
        path,
        413,
        `The body is larger than ${bytesMax} bytes.`,
      ])
      expect([path, (await send(bytesMax)).status]).toEqual([path, 422])
    }
  })
})

describe('a service that drains', () => {
  test('is not ready, and says why, while it still answers', async () => {
    await start({})
    expect((await service.call('/readyz')).json).toMatchObject({
      status: 'ready',
      checks: { database: true, accepting: true },
    })
    service.service.startDraining()
    const draining = await service.call('/readyz')
    expect(draining.status).toBe(503)
    expect(draining.json).toMatchObject({ status: 'not-ready', checks: { database: true, accepting: false } })
    expect((await logWith('one')).status).toBe(200)
    expect((await service.call('/livez')).status).toBe(200)
  })
})

describe('a statement that takes too long', () => {
  test('is a problem that says so, not a failure of ours', async () => {
    await start({})
    await logWith('one')
    const sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 2, prepare: false, pooled: true })
    try {
      const answer = await sql.begin(async (tx) => {
        await tx`lock table llmring.aliases in access exclusive mode`
        const pending = service.call('/api/v1/aliases/a', { key: 'one' })
        // Postgres ends a statement that is cancelled and one that takes too long with the same code.
        const cancel = () => sql`select pg_cancel_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`
        await eventually(async () => expect(await cancel()).toHaveLength(1))
        return pending
      })
      expect([answer.status, answer.json.code]).toEqual([503, 'timed-out'])
      expect(answer.headers.get('retry-after')).toBe('1')
    } finally {
      await sql.end()
    }
  })
})
