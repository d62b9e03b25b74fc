import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { type Migration, migrate, readMigrations } from '../../src/db/migrate.js'
import { databaseUrl } from '../support/global-setup.js'

const SCHEMA = 'llmring'
let name: string
let admin: Sql
let clients: Sql[]

const connect = (url: string, applicationName = 'a test'): Sql => {
  const about = { url, schema: SCHEMA, connectionsMax: 1, prepare: true, pooled: false, statementMsMax: 0 }
  const sql = createClient({ ...about, applicationName })
  clients.push(sql)
  return sql
}
const connectHere = (applicationName?: string) => connect(databaseUrl(inject('serverUrl'), name), applicationName)

beforeEach(async () => {
  clients = []
  name = `migrate_${randomBytes(6).toString('hex')}`
  admin = connect(inject('serverUrl'))
  await admin.unsafe(`create database ${name}`)
})
afterEach(async () => {
  const [first, ...others] = clients
  await Promise.all(others.map((sql) => sql.end({ timeout: 1 })))
  await admin.unsafe(`drop database ${name} with (force)`)
  await first?.end({ timeout: 1 })
})

describe('several that migrate one schema at the same moment', () => {
  it('apply every file once between them, and all come through', async () => {
    const migrations = await readMigrations()
    const results = await Promise.all(
      Array.from({ length: 6 }, () => migrate(connectHere(), SCHEMA, migrations, { waitMsMax: 60_000 })),
    )
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(migrations.map((migration) => migration.name))
    expect(new Set(results.map(({ version }) => version))).toEqual(new Set([migrations.length]))
  })

  it('wait for a limited time, and say who holds the lock', async () => {
    const holder = connectHere('the one that hangs')
    const [{ pid } = { pid: 0 }] = await holder<{ pid: number }[]>`
      select pg_backend_pid() as pid, pg_advisory_lock(hashtextextended(${`llmring-migrate:${SCHEMA}`}, 0))`
    const onWaiting = vi.fn()
    const waiting = migrate(connectHere(), SCHEMA, await readMigrations(), { waitMsMax: 300, onWaiting })
    const said = `pid ${pid}, 'the one that hangs' from 127.0.0.1`
    await expect(waiting).rejects.toThrow(said)
    expect(onWaiting).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(`pid ${pid}, 'the one that hangs'`))
    const tables = await holder`select from pg_namespace where nspname = ${SCHEMA}`
    expect(tables).toHaveLength(0)
  })
})

describe('a database that was migrated with other files', () => {
  const file = (version: number, text: string, sha256 = `${version}`.repeat(64)): Migration => ({
    ...{ version, name: `000${version}_test.sql`, sha256, text },
  })
  const first = file(1, 'create table one (word text)')
  const second = file(2, 'create table two (word text)')

  it('is refused untouched where a file has other contents now, or where it is newer', async () => {
    await migrate(connectHere(), SCHEMA, [first])
    const changed = { ...first, sha256: 'f'.repeat(64) }
    await expect(migrate(connectHere(), SCHEMA, [changed, second])).rejects.toThrow('other contents')
    await expect(migrate(connectHere(), SCHEMA, [])).rejects.toThrow('newer than this program')
    expect(await connectHere()`select to_regclass('two') as two`).toEqual([{ two: null }])
  })

  it('keeps what was applied whole when a later file fails, and nothing of that one', async () => {
    const broken = file(2, 'create table two (word text); select 1 / 0')
    await expect(migrate(connectHere(), SCHEMA, [first, broken])).rejects.toThrow('division by zero')
    expect(await migrate(connectHere(), SCHEMA, [first, second])).toEqual({ applied: [second.name], version: 2 })
  })
})
