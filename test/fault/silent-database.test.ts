import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bounded } from '../../src/db/bounded.js'
import { createClient, type Sql } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

let database: TestDatabase
let proxy: TcpProxy
/** Goes past the proxy. */
let direct: Sql
let sql: Sql

beforeAll(async () => {
  database = await cloneDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  direct = open(database.url, 1)
  await direct`create table words (word text)`
})
beforeEach(() => {
  sql = open(throughProxy(database.url, proxy), CONNECTIONS)
})
afterEach(async () => {
  await sql.end({ timeout: 0 })
  // The server does not know yet that its clients are gone.
  proxy.cut()
  proxy.restore()
  await direct`truncate words`
})
afterAll(async () => {
  await direct.end({ timeout: 1 })
  await proxy.close()
  await database.drop()
})

const CONNECTIONS = 2
const open = (url: string, connectionsMax: number, waitMsMax = 300) =>
  createClient({
    ...{ url, connectionsMax, schema: 'llmring', prepare: true, pooled: false },
    ...{ statementMsMax: 1_000, waitMsMax },
  })

const codeOf = (error: unknown) => (error as { code?: string }).code
const codes = async (asked: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(asked)).map((one) => (one.status === 'fulfilled' ? 'done' : codeOf(one.reason)))
const insert = (word: string) => sql`insert into words values (${word})`.execute()
const words = async () => (await direct<{ word: string }[]>`select word from words`).map(({ word }) => word)
/** Each on a connection of its own, all at once. */
const everyConnectionAnswers = async () => {
  const pids = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => sql<{ pid: number }[]>`select pg_backend_pid() as pid, pg_sleep(0.2)`),
  )
  expect(new Set(pids.map(([row]) => row?.pid)).size).toBe(CONNECTIONS)
}

/** More than the connections and their pipelines take. */
const fill = (seconds: number) =>
  Array.from({ length: 3 * CONNECTIONS }, () => sql`select pg_sleep(${seconds})`.execute())

describe('a statement that waits for a connection', () => {
  it('is refused in time and never sent, and so is a transaction', async () => {
    const before = fill(0.7)
    const late = [insert('late'), sql.begin((tx) => tx`insert into words values ('late, too')`)]
    expect(await codes(late)).toEqual(['QUERY_NOT_SENT', 'QUERY_NOT_SENT'])
    await Promise.allSettled(before)
    await everyConnectionAnswers()
    expect(await words()).toEqual([])
  })

  it('is never sent once the one who asked has given up', async () => {
    const before = fill(0.2)
    const late = bounded(sql`insert into words values ('late')`, 50)
    await expect(late).rejects.toMatchObject({ code: 'database-unavailable' })
    await Promise.allSettled(before)
    await everyConnectionAnswers()
    expect(await words()).toEqual([])
  })

  it('behind one that is slow is sent all the same when the one who asked has given up, and harms no other', async () => {
    await sql.end({ timeout: 0 })
    // What waits here is to be sent, however slow the machine is.
    sql = open(throughProxy(database.url, proxy), CONNECTIONS, 20_000)
    const late = bounded(sql`select pg_sleep(0.3)`, 50)
    await expect(late).rejects.toMatchObject({ code: 'database-unavailable' })
    expect(await codes([insert('next'), ...fill(0.1)])).toEqual(
      Array.from({ length: 1 + 3 * CONNECTIONS }, () => 'done'),
    )
    expect(await words()).toEqual(['next'])
  })
})

describe('when the network goes silent', () => {
  it('what runs is lost, what waits is refused, in transactions and outside; every connection answers again', async () => {
    await everyConnectionAnswers()
    const lost = sql.begin(async (tx) => {
      await tx`insert into words values ('half')`
      proxy.freeze()
      const outside = codes([insert('on the other connection'), insert('waiting'), sql.begin(() => insert('waiting'))])
      await tx`insert into words values ('whole')`.catch(() => undefined)
      expect(await outside).toEqual(['CONNECTION_CLOSED', 'QUERY_NOT_SENT', 'QUERY_NOT_SENT'])
    })
    await expect(lost).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    proxy.cut()
    proxy.thaw()
    proxy.restore()
    await eventually(everyConnectionAnswers)
    expect(await words()).toEqual([])
  })
})
