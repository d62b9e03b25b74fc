import { randomUUID } from 'node:crypto'
import { eq, sql as fragment } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/db/client.js'
import { classifyFailure } from '../../src/db/failure.js'
import { aliasHistory } from '../../src/db/tables/aliases.js'
import { createTransact, ormOf, sqlOf, type Transact, type Tx } from '../../src/db/transact.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let clone: TestDatabase
let database: Database
let transact: Transact
beforeAll(async () => {
  clone = await cloneDatabase()
  database = await openDatabase({
    ...{ url: clone.url, schema: 'llmring', connectionsMax: 4, prepare: true, pooled: false },
  })
  transact = createTransact(database.sql)
})
afterAll(async () => {
  await database.close()
  await clone.drop()
})

const AT = new Date('2026-02-28T23:59:59.987Z')
/** Text that is JSON itself, and what JSON rendered twice or parsed twice would change. */
const OBJECT = { text: '{"a":1}', quoted: '"x"', at: AT.toISOString(), list: [1, null, 'ü\\"'], number: 0.1 }

type Row = { readonly changedAt: Date; readonly metadata: unknown; readonly kind: string }

const throughDrizzle = (tx: Tx, projectId: string) =>
  ormOf(tx)
    .insert(aliasHistory)
    .values({
      ...{ projectId, revision: 1, place: null, profile: 'p', alias: 'drizzle', action: 'set', models: ['a,b', '"c"'] },
      ...{ metadata: OBJECT, changedAt: AT },
    })
const writtenOut = (tx: Tx, projectId: string) =>
  sqlOf(tx)`
    insert into alias_history (project_id, revision, profile, alias, action, metadata, changed_at)
    values (${projectId}, 1, 'p', 'hot', 'set', ${OBJECT as never}, ${AT})`

const rowsThroughDrizzle = (projectId: string, orm: Pick<Database['orm'], 'select'> = database.orm) =>
  orm.select().from(aliasHistory).where(eq(aliasHistory.projectId, projectId)).orderBy(aliasHistory.alias)
const rowsWrittenOut = (projectId: string) =>
  database.sql<Row[]>`
    select changed_at as "changedAt", metadata, jsonb_typeof(metadata) as kind from alias_history
    where project_id = ${projectId} order by alias`

describe('a transaction', () => {
  it('commits what was written through Drizzle and what was written out, and each reads the other', async () => {
    const project = randomUUID()
    const seen = await transact(async (tx) => {
      await throughDrizzle(tx, project)
      const [row] = await sqlOf(tx)`select changed_at, metadata from alias_history where project_id = ${project}`
      await writtenOut(tx, project)
      const both = await ormOf(tx).select().from(aliasHistory).where(eq(aliasHistory.projectId, project))
      return { row, both: both.length }
    })
    expect(seen).toEqual({ row: { changed_at: AT, metadata: OBJECT }, both: 2 })
    const written = {
      projectId: project,
      revision: 1,
      place: null,
      profile: 'p',
      action: 'set',
      constraints: null,
      keyId: null,
    }
    expect(await rowsThroughDrizzle(project)).toEqual([
      { ...written, alias: 'drizzle', models: ['a,b', '"c"'], metadata: OBJECT, changedAt: AT },
      { ...written, alias: 'hot', models: null, metadata: OBJECT, changedAt: AT },
    ])
    const row = { changedAt: AT, metadata: OBJECT, kind: 'object' }
    expect([...(await rowsWrittenOut(project))]).toEqual([row, row])
  })

  it.each([
    ['Drizzle first', [throughDrizzle, writtenOut]],
    ['Drizzle last', [writtenOut, throughDrizzle]],
  ] as const)('that is given up keeps nothing of either, %s', async (_order, writes) => {
    const project = randomUUID()
    const given = new Error('given up')
    const work = transact(async (tx) => {
      for (const write of writes) await write(tx, project)
      expect(await rowsThroughDrizzle(project, ormOf(tx))).toHaveLength(2)
      throw given
    })
    await expect(work).rejects.toBe(given)
    expect(await rowsThroughDrizzle(project)).toEqual([])
  })

  it.each([
    ['through Drizzle', (tx: Tx) => ormOf(tx).execute(fragment`select 1 / 0`)],
    ['written out', (tx: Tx) => sqlOf(tx)`select 1 / 0`],
  ])('in which a statement failed %s is rolled back, even if the failure was caught', async (_way, fail) => {
    const project = randomUUID()
    const work = transact(async (tx) => {
      await throughDrizzle(tx, project)
      await writtenOut(tx, project)
      await fail(tx).then(
        () => undefined,
        () => undefined,
      )
    })
    await expect(work).rejects.toThrow()
    expect(await rowsThroughDrizzle(project)).toEqual([])
  })

  it('is one connection, and its statements are seen by no other before the commit', async () => {
    const project = randomUUID()
    await transact(async (tx) => {
      const [hot] = await sqlOf(tx)`select pg_backend_pid() as pid`
      const [drizzle] = await ormOf(tx).execute(fragment`select pg_backend_pid() as pid`)
      expect(drizzle).toEqual(hot)
      await throughDrizzle(tx, project)
      expect(await rowsThroughDrizzle(project)).toEqual([])
    })
    expect(await rowsThroughDrizzle(project)).toHaveLength(1)
  })
})

describe('a transaction that lasts too long', () => {
  it('is ended by the server, and rejects', async () => {
    const project = randomUUID()
    const work = transact(async (tx) => {
      await throughDrizzle(tx, project)
      for (let step = 0; step < 20; step++) await sqlOf(tx)`select pg_sleep(0.05)`
    }, 300)
    expect(classifyFailure(await work.catch((error: unknown) => error))).toBe('unavailable')
    expect(await rowsThroughDrizzle(project)).toEqual([])
  })

  it('is told its limit before its first statement', async () => {
    const limit = await transact(async (tx) => (await sqlOf(tx)`show transaction_timeout`)[0])
    expect(limit).toEqual({ transaction_timeout: '15s' })
    expect((await database.sql`show transaction_timeout`)[0]).toEqual({ transaction_timeout: '0' })
  })
})

describe('a session', () => {
  it('has limits for its statements, for idling in a transaction and for a client that is gone', async () => {
    const settings = ['statement_timeout', 'idle_in_transaction_session_timeout', 'tcp_keepalives_idle']
    const rows =
      await database.sql`select name, setting from pg_settings where name in ${database.sql(settings)} order by 1`
    expect(rows.map(({ name, setting }) => [name, setting])).toEqual([
      ['idle_in_transaction_session_timeout', '5000'],
      ['statement_timeout', '10000'],
      ['tcp_keepalives_idle', '10'],
    ])
  })
})

describe('outside of a transaction', () => {
  it('a date and JSON go through Drizzle and come back as they went', async () => {
    const [row] = await database.orm.execute(
      fragment`select ${AT}::timestamptz as at, ${JSON.stringify(OBJECT)}::jsonb as json, null::jsonb as nothing`,
    )
    expect(row).toEqual({ at: AT, json: OBJECT, nothing: null })
  })

  it('a date and JSON go into a written-out statement and come back as they went', async () => {
    const { sql } = database
    const [row] = await sql`select ${AT}::timestamptz as at, ${sql.json(OBJECT)}::jsonb as json, ${'7'}::json as number`
    expect(row).toEqual({ at: AT, json: OBJECT, number: 7 })
  })
})
