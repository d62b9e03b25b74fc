import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import type { FindPrice } from '../../src/features/usage/price/price-event.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { EVENT, fixturePrices, newProject, openUsage, type UsageApp } from '../support/feature-app.js'
import { holdTransaction } from '../support/held-transaction.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

let database: TestDatabase
let proxy: TcpProxy
/** Goes past the proxy: the test's own eyes and hands. */
let direct: Sql
let app: UsageApp

const findPrice: FindPrice = (provider, model) =>
  model === 'poison'
    ? { status: 'found', prices: { unit: { input: 10n ** 30n, output: 0n } }, registryVersion: 'openai@666' }
    : fixturePrices(provider, model)

beforeEach(async () => {
  database = await cloneDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  direct = createClient({ url: database.url, schema: 'llmring', connectionsMax: 4, prepare: true, pooled: false })
  app = await open()
})
afterEach(async () => {
  proxy.restore()
  await heal()
  await app.close()
  await direct.end()
  await proxy.close()
  await database.drop()
})

/** An instance at rest: nothing that its start began is still connecting. */
const open = async (patience = { commitMsMax: 10_000, outcomeMsMax: 20_000 }) => {
  const opened = await openUsage({ url: throughProxy(database.url, proxy), findPrice, patience })
  await opened.usage.priceWaiting()
  return opened
}
/** A client that lost a connection ends at once only after that connection was used again. A frozen one never is. */
const heal = () => {
  const used = Promise.allSettled(Array.from({ length: 3 }, () => app.database.sql`select pg_sleep(0.05)`.execute()))
  return Promise.race([used, pause(500)])
}
const reopen = async (patience: { commitMsMax: number; outcomeMsMax: number }) => {
  await app.close()
  app = await open(patience)
}

const rows = async () => (await direct`select id from usage_logs order by id`).map(({ id }) => id as string)
const post = (changes: Record<string, unknown> = {}) => app.call('/api/v1/log', { json: { ...EVENT, ...changes } })

/** Nobody can write until the answer is called. */
const lockTable = () => holdTransaction(direct, (tx) => tx`lock table usage_logs in exclusive mode`)

/** The backends that wait to write usage, once there are this many. */
const writersWaiting = (count: number) =>
  eventually(async () => {
    const waiting = await direct`
      select pid from pg_locks where not granted and relation = 'usage_logs'::regclass and database = (select oid from pg_database where datname = current_database())`
    expect(waiting).toHaveLength(count)
    return waiting.map(({ pid }) => pid as number)
  })

describe('the connection is lost while a group is under way', () => {
  it('and the backend dies with it: the group is written by a second one, once, and answered', async () => {
    const unlock = await lockTable()
    const answers = Promise.all([post(), post(), post()])
    const [pid = 0] = await writersWaiting(1)
    await direct`select pg_terminate_backend(${pid})`
    await eventually(async () => expect(await writersWaiting(1)).not.toContain(pid))
    await unlock()
    const logged = await answers
    expect(logged.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await rows()).toEqual(logged.map(({ json }) => json.log_id).sort())
  })

  it('and the backend lives on and commits: the group is found, not written twice, and answered', async () => {
    // Now the statement is prepared on every open connection, so that the blocked backend has all it needs to commit.
    for (const known of [post(), post(), post(), post()]) await known
    const before = await rows()
    const unlock = await lockTable()
    const answers = Promise.all([post(), post()])
    const [old = 0] = await writersWaiting(1)
    proxy.cut()
    proxy.restore()
    // The old backend stands first in the queue for the lock, the second attempt behind it.
    expect(await writersWaiting(2)).toContain(old)
    await unlock()
    const logged = await answers
    expect(logged.map(({ status }) => status)).toEqual([200, 200])
    const written = (await rows()).filter((id) => !before.includes(id))
    expect(written).toEqual(logged.map(({ json }) => json.log_id).sort())
  })

  it('and the old backend wakes up last: it meets the rows and writes none', async () => {
    // The first attempt stands still before its first row, until the test lets go of the advisory lock.
    await direct`create sequence attempts`
    await direct.unsafe(`
      create function stall_first() returns trigger language plpgsql as $$
        begin if nextval('attempts') = 1 then perform pg_advisory_xact_lock(42); end if; return null; end $$;
      create trigger stall before insert on usage_logs for each statement execute function stall_first()`)
    const letGo = await holdTransaction(direct, (tx) => tx`select pg_advisory_xact_lock(42)`)
    const answer = post()
    const old = await eventually(async () => {
      const [waiting] =
        await direct`select pid from pg_locks where locktype = 'advisory' and objid = 42 and not granted`
      expect(waiting).toBeDefined()
      return waiting?.pid as number
    })
    proxy.cut()
    proxy.restore()
    const { status, json } = await answer
    expect(status).toBe(200)
    await letGo()
    await eventually(async () => {
      expect(await direct`select 1 from pg_stat_activity where pid = ${old}`).toHaveLength(0)
    })
    expect(await rows()).toEqual([json.log_id])
  })

  it('and stays away: 503, which says that nobody knows', async () => {
    await reopen({ commitMsMax: 10_000, outcomeMsMax: 300 })
    const unlock = await lockTable()
    const answer = post()
    await writersWaiting(1)
    proxy.cut()
    const { status, json, headers } = await answer
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'database-unavailable', '1'])
    expect(json.detail).toContain('may or may not have been written')
    await unlock()
  })

  it('without a word (nothing gets through any more): it is taken for lost after a while, and written once', async () => {
    await reopen({ commitMsMax: 300, outcomeMsMax: 20_000 })
    await post()
    proxy.freeze()
    const answer = post()
    const other = post()
    // Connections that were frozen stay frozen; new ones get through.
    proxy.thaw()
    const logged = await Promise.all([answer, other])
    expect(logged.map(({ status }) => status)).toEqual([200, 200])
    const ids = await rows()
    for (const { json } of logged) expect(ids.filter((id) => id === json.log_id)).toHaveLength(1)
    expect(ids).toHaveLength(3)
  })
})

describe('the database', () => {
  it('that cannot be reached at all gives 503 at once and nothing is written', async () => {
    await reopen({ commitMsMax: 10_000, outcomeMsMax: 300 })
    await post()
    await proxy.close()
    await eventually(async () => expect((await post()).json.detail).toContain('nothing was written'))
    const { status, json, headers } = await post()
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'database-unavailable', '1'])
    expect(await rows()).toHaveLength(1)
  })

  it('that is read-only gives 503 and says that nothing was written', async () => {
    const name = new URL(database.url).pathname.slice(1)
    await direct.unsafe(`alter database ${name} set default_transaction_read_only = on`)
    await reopen({ commitMsMax: 10_000, outcomeMsMax: 20_000 })
    const { status, json } = await post()
    expect([status, json.code]).toEqual([503, 'database-unavailable'])
    expect(json.detail).toContain('nothing was written')
  })
})

describe('poison', () => {
  it('gets its 422 and all the others of its group are written and answered', async () => {
    const project = newProject()
    const unlock = await lockTable()
    const first = post()
    await writersWaiting(1)
    const answers = Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        post({ model: index % 13 === 7 ? 'poison' : 'gpt-4o', origin: project }),
      ),
    )
    await unlock()
    await first
    const logged = await answers
    for (const [index, { status, json }] of logged.entries()) {
      expect([index, status]).toEqual([index, index % 13 === 7 ? 422 : 200])
      if (status === 422)
        expect(json).toMatchObject({ code: 'validation-failed', detail: expect.stringContaining('refuses') })
    }
    const written = await direct`select id from usage_logs where origin = ${project}`
    const answered = logged.flatMap(({ status, json }) => (status === 200 ? [json.log_id] : []))
    expect(written.map(({ id }) => id).sort()).toEqual(answered.sort())
  })
})

describe('a month without a partition', () => {
  it('gets one at its first event', async () => {
    app.now = Date.parse('2027-01-31T23:59:59.999Z')
    const { status, json } = await post()
    expect(status).toBe(200)
    expect(await direct`select 1 from usage_logs_2027_01 where id = ${json.log_id}`).toHaveLength(1)
  })

  it('that cannot get one is 503, and the months that have one go on', async () => {
    await direct`create view usage_logs_2027_01 as select 1 as one`
    const before = app.now
    app.now = Date.parse('2027-01-31T23:59:59.999Z')
    const refused = await post()
    expect([refused.status, refused.json.code]).toEqual([503, 'database-unavailable'])
    expect(refused.json.detail).toContain('nothing was written')
    app.now = before
    expect((await post()).status).toBe(200)
  })

  it('does not stop an instance from starting', async () => {
    await direct`create view usage_logs_2026_06 as select 1 as one`
    app.now = Date.parse('2026-04-15T00:00:00Z')
    await app.usage.start()
    expect((await post()).status).toBe(200)
  })
})

describe('closing', () => {
  it('writes and answers what waits and what is under way', async () => {
    const unlock = await lockTable()
    const flying = [post()]
    await writersWaiting(1)
    flying.push(post(), post())
    await writersWaiting(2)
    let closed = false
    const closing = app.usage.close().then(() => {
      closed = true
    })
    expect([await rows(), closed]).toEqual([[], false])
    await unlock()
    await closing
    expect((await Promise.all(flying)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await rows()).toHaveLength(3)
  })
})
