import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { type Migration, migrate } from '../../src/db/migrate.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { holdTransaction } from '../support/held-transaction.js'

const SCHEMA = 'migrated'
const GATE = 77

const file = (version: number, text: string): Migration => ({
  version,
  name: `${version}`,
  sha256: `sha ${text}`,
  text,
})
const FILES = [
  file(1, 'create table one (n integer)'),
  file(2, `create table two (n integer); select pg_advisory_xact_lock(${GATE}); insert into two values (2)`),
  file(3, 'create table three (n integer); insert into three values (3)'),
]

let database: TestDatabase
let observer: Sql
const clients: Sql[] = []

/** A client as `migrateDatabase` makes it, with a name that the server shows. */
const open = (applicationName: string): Sql => {
  const options = { url: database.url, schema: SCHEMA, connectionsMax: 1, prepare: true, pooled: false }
  const client = createClient({ ...options, applicationName, statementMsMax: 0 })
  clients.push(client)
  return client
}
const waiting = (name: string) =>
  eventually(async () => {
    const [row] = await observer<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = ${name} and wait_event_type = 'Lock'`
    expect(row).toBeDefined()
    return row?.pid ?? 0
  })
/** Who waits for the migration lock asks for it again and again, in a transaction. */
const asking = (name: string) =>
  eventually(async () => {
    const [row] = await observer<{ pid: number }[]>`
      select pid from pg_stat_activity where application_name = ${name} and xact_start is not null`
    expect(row).toBeDefined()
    return row?.pid ?? 0
  })
const recorded = async () =>
  (await observer`select name from schema_migrations order by version`).map(({ name }) => name)

beforeEach(async () => {
  database = await cloneDatabase()
  observer = open('observer')
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end({ timeout: 1 })))
  await database.drop()
})

describe('migrating', () => {
  it('applies each file once, however many do it at the same time', async () => {
    const instances = Array.from({ length: 8 }, (_, index) => open(`instance ${index}`))
    const results = await Promise.all(instances.map((client) => migrate(client, SCHEMA, FILES)))
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(['1', '2', '3'])
    expect(await recorded()).toEqual(['1', '2', '3'])
    const [rows] =
      await observer`select (select count(*)::int from two) as two, (select count(*)::int from three) as three`
    expect(rows).toEqual({ two: 1, three: 1 })
  })

  it('leaves nothing of a file whose connection is lost in its middle, and whoever waited takes over', async () => {
    const openGate = await holdTransaction(open('gate'), (tx) => tx`select pg_advisory_xact_lock(${GATE})`)
    const first = migrate(open('first'), SCHEMA, FILES)
    const refused = expect(first).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION_CLOSED|57P01/) })
    const firstPid = await waiting('first')
    const second = migrate(open('second'), SCHEMA, FILES)
    const secondPid = await asking('second')
    await observer`select pg_terminate_backend(${firstPid})`
    await refused
    // Now it is the second one that stands at the gate, in the same file.
    await eventually(async () => {
      const [gate] = await observer`
        select pid from pg_locks where locktype = 'advisory' and objid = ${GATE} and not granted`
      expect(gate).toEqual({ pid: secondPid })
    })
    expect(await recorded()).toEqual(['1'])
    await openGate()
    expect(await second).toEqual({ applied: ['2', '3'], version: 3 })
    expect(await recorded()).toEqual(['1', '2', '3'])
    expect([...(await observer`select n from two union all select n from three order by n`)]).toEqual([
      { n: 2 },
      { n: 3 },
    ])
  })

  it('records no file that ends its transaction itself', async () => {
    const client = open('first')
    const own = migrate(client, SCHEMA, [file(1, 'create table one (n integer); commit; create table two (n integer)')])
    await expect(own).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
    expect(
      await observer`select from pg_tables where schemaname = ${SCHEMA} and tablename = 'schema_migrations'`,
    ).toHaveLength(1)
    expect(await recorded()).toEqual([])
  })
})
