import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { createClient, type Sql } from '../../src/db/client.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { keyOfByte, newProject, startReceipts } from '../support/feature-app.js'
import { databaseUrl } from '../support/global-setup.js'
import { CLAIMS } from '../unit/proof-fixtures.js'

/** The migrations before there was a log. */
const BEFORE_THE_LOG = 5
let name: string
let admin: Sql
let sql: Sql

const connect = (url: string): Sql =>
  createClient({ url, schema: 'llmring', connectionsMax: 1, prepare: false, pooled: false, statementMsMax: 0 })

beforeEach(async () => {
  name = `numbered_${randomBytes(6).toString('hex')}`
  admin = connect(inject('serverUrl'))
  await admin.unsafe(`create database ${name}`)
  sql = connect(databaseUrl(inject('serverUrl'), name))
})
afterEach(async () => {
  await sql.end({ timeout: 1 })
  await admin.unsafe(`drop database ${name} with (force)`)
  await admin.end({ timeout: 1 })
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

async function insertOld(project: ProjectId, id: string, kind: 'issued' | 'stored', second: number): Promise<string> {
  const text = `{"id":"${id}","project":"${project}"}`
  await sql`
    insert into receipts (project_id, id, kind, key_id, canonical, stored_at)
    values (${project}, ${id}, ${kind}, 'k', ${Buffer.from(text)}, ${new Date(Date.UTC(2027, 0, 1, 0, 0, second))})`
  return sha256(text)
}

it('receipts that were issued before there was a chain are numbered, wait for the log, and the next one leads to the last', async () => {
  const migrations = await readMigrations()
  await migrate(sql, 'llmring', migrations.slice(0, BEFORE_THE_LOG))
  const [project, other] = [newProject(), newProject()]
  const entries = [
    await insertOld(project, 'z-first', 'issued', 1),
    await insertOld(other, 'alone', 'issued', 2),
    await insertOld(project, 'brought', 'stored', 3),
    await insertOld(project, 'a-second', 'issued', 4),
  ]
  await migrate(sql, 'llmring', migrations)
  const rows = await sql<{ id: string; seq: number | null; entry: string }[]>`
    select id, seq::int, encode(entry, 'hex') as entry from receipts order by stored_at`
  expect(rows.map(({ id, seq }) => [id, seq])).toEqual([
    ...[
      ['z-first', 1],
      ['alone', 1],
      ['brought', null],
      ['a-second', 2],
    ],
  ])
  expect(rows.map(({ entry }) => entry)).toEqual(entries)
  const pending = await sql<{ entry: string }[]>`select encode(entry, 'hex') as entry from log_pending order by id`
  expect(pending.map(({ entry }) => entry)).toEqual(entries)

  const one = await startReceipts(databaseUrl(inject('serverUrl'), name), keyOfByte(1))
  const next = await one.issue(CLAIMS, project)
  // The clock of this instance stands before that of the last one.
  expect(next.json).toMatchObject({
    ...{ seq: 3, prev: `sha256:${entries[3]}`, issued_at: '2027-01-01T00:00:04.000Z' },
  })
  expect((await one.issue(CLAIMS, other)).json).toMatchObject({ seq: 2, prev: `sha256:${entries[1]}` })
  expect((await one.issue(CLAIMS, newProject())).json).toMatchObject({ seq: 1, prev: null })
  await one.close()
})
