import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { type BreakingProxy, startBreakingProxy } from '../support/breaking-proxy.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { LOAD_TABLES, startDatabaseLoad } from '../support/database-load.js'
import { eventually } from '../support/eventually.js'

const CONNECTIONS = 8
const WORKERS = 24
const NAME = 'driver under load'

let database: TestDatabase
let proxy: BreakingProxy
let observer: Sql
let pool: Sql

const open = (url: string, connectionsMax: number, applicationName: string) =>
  createClient({ url, schema: 'llmring', connectionsMax, prepare: true, pooled: false, applicationName })

beforeAll(async () => {
  database = await cloneDatabase()
  proxy = await startBreakingProxy(database.url)
  observer = open(database.url, 1, 'observer')
  await observer.unsafe(LOAD_TABLES)
})
beforeEach(() => {
  pool = open(proxy.url, CONNECTIONS, NAME)
})
afterEach(async () => {
  proxy.admit('all')
  proxy.silence(false)
  await pool.end({ timeout: 0 })
})
afterAll(async () => {
  await observer.end({ timeout: 1 })
  await proxy.close()
  await database.drop()
})

const terminate = (how: string) =>
  observer.unsafe(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${NAME}' ${how}`)

const FAULTS: Readonly<Record<string, () => Promise<unknown>>> = {
  'every backend is terminated': () => terminate(''),
  'one backend at random is terminated, again and again': async () => {
    for (let time = 0; time < 15; time++) {
      await terminate('order by random() limit 1')
      await sleep(30)
    }
  },
  'every connection is reset': async () => proxy.break('reset'),
  'every connection is ended': async () => proxy.break('finish'),
  'every connection is reset in the middle of an answer': async () => proxy.tear('reset'),
  'every connection is ended in the middle of an answer': async () => proxy.tear('finish'),
  'new connections are ended as soon as they are there': async () => {
    proxy.admit('finish')
    proxy.break('finish')
    await sleep(300)
    proxy.admit('all')
  },
  'nothing gets through, and then every connection is reset': async () => {
    proxy.silence(true)
    await sleep(300)
    proxy.break('reset')
    proxy.silence(false)
  },
}

describe('under load', () => {
  it.each(Object.entries(FAULTS))(
    'nothing hangs, goes astray or is half done, and the pool is whole: %s',
    async (_name, strike) => {
      const load = startDatabaseLoad(pool, WORKERS)
      await eventually(() => expect(load.answered()).toBeGreaterThan(WORKERS))
      await strike()
      await eventually(() => expect(load.lost()).toBeGreaterThan(0))
      const before = load.answered()
      await eventually(() => expect(load.answered()).toBeGreaterThan(before + WORKERS))
      expect(await load.stop(10_000)).toEqual([])
      expect(load.wrong).toEqual([])
      await eventually(allConnectionsAnswer)
      expect(await load.audit(observer)).toEqual([])
    },
  )
})

/** As many statements at once as the pool has connections, each on a backend of its own and in no transaction. */
async function allConnectionsAnswer(): Promise<void> {
  const rows = await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      (_, index) => pool`select pg_backend_pid() as pid, coalesce(current_setting('load.mark', true), '') as mark,
        ${index}::integer as index from pg_sleep(0.2)`,
    ),
  )
  expect(new Set(rows.map(([row]) => row?.['pid'])).size).toBe(CONNECTIONS)
  rows.forEach(([row], index) => {
    expect(row).toMatchObject({ mark: '', index })
  })
}
