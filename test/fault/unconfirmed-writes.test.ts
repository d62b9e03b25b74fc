import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import type { Answer } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let direct: Sql
let service: RunningService
/** A project that the operator made, and one of its keys. */
let project: string
let key: string
let keyId: string

beforeAll(async () => {
  database = await cloneDatabase()
  direct = createClient({ url: database.url, schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false })
  await direct`create function ignore_row() returns trigger language plpgsql as 'begin return null; end'`
  service = await startService({ LLMRING_DATABASE_URL: database.url })
  const made = await admin('', { name: 'p' })
  project = made.json.id
  const first = (await admin(`/${project}/keys`, { name: 'k', role: 'admin' })).json
  key = first.key
  keyId = first.id
  await service.call('/api/v1/aliases/bind', { key, json: { alias: 'there', model: 'openai:m' } })
})
afterAll(async () => {
  await service.close()
  await direct.end({ timeout: 5 })
  await database.drop()
})

const admin = (path: string, json: unknown) =>
  service.call(`/api/v1/admin/projects${path}`, { key: OPERATOR_KEY, json })

const remove = (path: string) => service.call(`/api/v1/admin/projects${path}`, { key: OPERATOR_KEY, method: 'DELETE' })

/** While `work` runs, the table takes this kind of write and keeps nothing: what an answer that is not true looks like. */
async function whileIgnored<T>(table: string, command: string, work: () => Promise<T>): Promise<T> {
  await direct.unsafe(`create trigger ignore before ${command} on ${table} for each row execute function ignore_row()`)
  try {
    return await work()
  } finally {
    await direct.unsafe(`drop trigger ignore on ${table}`)
  }
}

const bind = (as = key, alias = 'fresh') =>
  service.call('/api/v1/aliases/bind', { key: as, json: { alias, model: 'openai:m' } })
const bulk = () =>
  service.call('/api/v1/aliases/bulk_upsert', {
    key,
    json: ['x', 'y'].map((alias) => ({ alias, model: 'openai:m' })),
  })
const unbind = () => service.call('/api/v1/aliases/there', { key, method: 'DELETE' })

describe('a write of which not every row comes back is answered with 503, never as done:', () => {
  it.each<[string, string, string, () => Promise<Answer>]>([
    ['binding an alias', 'aliases', 'insert', () => bind()],
    ['binding several', 'aliases', 'insert', bulk],
    ['the revision of a first binding', 'alias_heads', 'insert', () => bind('first')],
    ['the history of a deletion', 'alias_history', 'insert', unbind],
    ['the counters of a deletion', 'alias_heads', 'update', unbind],
    ['the deletion of an alias', 'aliases', 'delete', unbind],
    ['the revocation of a key', 'project_keys', 'update', () => remove(`/${project}/keys/${keyId}`)],
    ['the erasure of a project', 'projects', 'update', () => remove(`/${project}`)],
    ['the project of a new key', 'projects', 'insert', () => bind('new-1')],
    ['a new key', 'project_keys', 'insert', () => bind('new-2')],
    ['a key of a project', 'project_keys', 'insert', () => admin(`/${project}/keys`, { name: 'k', role: 'read' })],
    ['a project that the operator makes', 'projects', 'insert', () => admin('', { name: 'q' })],
  ])('%s (%s, %s)', async (_what, table, command, ask) => {
    const answer = await whileIgnored(table, command, ask)
    expect([answer.status, answer.json]).toMatchObject([503, { code: 'database-unavailable' }])
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  it('and nothing of it is there', async () => {
    expect(await direct`select alias from aliases`).toEqual([{ alias: 'there' }])
    expect(await direct`select action from alias_history`).toEqual([{ action: 'set' }])
    expect(await direct`select id from projects where id not in (select project_id from project_keys)`).toEqual([])
  })
})
