import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyHashing, inventedPrefix } from '../../src/features/projects/key-text.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY as OPERATOR, type RunningService, startService } from '../support/service.js'

const BASE = '/api/v1/admin/projects'
const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1, output_tokens: 1 }
const ALIASES = '/api/v1/aliases/'

let database: TestDatabase
let open: RunningService
let closed: RunningService

beforeAll(async () => {
  database = await cloneDatabase()
  open = await startService({ LLMRING_DATABASE_URL: database.url })
  closed = await startService(closedMode())
})
afterAll(async () => {
  await closed.close()
  await open.close()
  await database.drop()
})

const closedMode = () => ({ LLMRING_DATABASE_URL: database.url, LLMRING_PROJECTS: 'closed' })
type Made = { id: string; key: string; prefix: string; project_id: string }
const operator = async <T>(method: string, path: string, json?: unknown) =>
  (await open.call(BASE + path, { method, key: OPERATOR, json })) as { status: number; json: T }
const newProject = async (name: string) => (await operator<{ id: string }>('POST', '', { name })).json.id
const newKey = async (project: string, role = 'write') =>
  (await operator<Made>('POST', `/${project}/keys`, { role, name: role })).json
const bind = (instance: RunningService, key: string, alias = 'a') =>
  instance.call(`${ALIASES}bind`, { key, json: { alias, model: 'x:y' } })
const countProjects = async () => {
  const [row] = await open.sql`select count(*)::integer as n from projects`
  return (row as { n: number }).n
}

describe('open mode', () => {
  it('makes a project at the first valid write, not at a read and not at a refused write', async () => {
    const before = await countProjects()
    expect((await open.call(ALIASES, { key: 'newcomer' })).json).toEqual([])
    expect((await open.call(`${ALIASES}bind`, { key: 'newcomer', json: { alias: '' } })).status).toBe(422)
    expect(await countProjects()).toBe(before)
    expect((await bind(open, 'newcomer')).status).toBe(200)
    expect(await countProjects()).toBe(before + 1)
  })

  it('makes one project of 30 first writes at once', async () => {
    const before = await countProjects()
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => bind(open, 'stampede', `a${index}`)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ json }) => (json as { project_id: string }).project_id)).size).toBe(1)
    expect(await countProjects()).toBe(before + 1)
  })

  it('stores and shows nothing of the key but digits of its hash', async () => {
    await bind(open, 'my-secret-invented-key')
    const hash = createKeyHashing(undefined, undefined).hash('my-secret-invented-key')
    const rows = await open.sql`select *, encode(key_hash, 'hex') as hex from project_keys`
    expect(rows.find((row) => row['hex'] === hash)).toMatchObject({ prefix: inventedPrefix(hash), role: 'write' })
    expect(JSON.stringify(rows)).not.toContain('invented')
  })
})

describe('a key by which no project was meant', () => {
  const NOT_KNOWN = { code: 'key-unknown', detail: expect.stringContaining('looks like one that this service made') }
  const ADMIN = { code: 'role-not-allowed', detail: expect.stringContaining('admin key') }

  it.each([
    ['a key of ours with a character wrong', 401, NOT_KNOWN, (made: string) => `${made.slice(0, -1)}!`],
    ['a key of ours that is cut', 401, NOT_KNOWN, (made: string) => made.slice(0, 20)],
    ['the admin key', 403, ADMIN, () => OPERATOR],
  ])('makes none: %s', async (_what, status, problem, keyOf) => {
    const key = keyOf((await newKey(await newProject('meant'))).key)
    const before = await countProjects()
    // The second time from memory.
    for (let time = 0; time < 2; time++) {
      expect(await open.call(`${ALIASES}resolve?alias=a`, { key })).toMatchObject({ status, json: problem })
      expect(await bind(open, key)).toMatchObject({ status, json: problem })
    }
    expect(await countProjects()).toBe(before)
  })

  it('is refused in closed mode, too', async () => {
    expect(await bind(closed, OPERATOR)).toMatchObject({ status: 403, json: ADMIN })
    expect((await bind(closed, 'lrk_unknown')).status).toBe(401)
  })

  it('stays a project’s if it is one already', async () => {
    const first = await startService({ LLMRING_DATABASE_URL: database.url, LLMRING_ADMIN_KEY: 'the-admin-key-before' })
    expect((await bind(first, 'later-the-admin-key')).status).toBe(200)
    await first.close()
    const second = await startService({ LLMRING_DATABASE_URL: database.url, LLMRING_ADMIN_KEY: 'later-the-admin-key' })
    expect((await bind(second, 'later-the-admin-key')).status).toBe(200)
    await second.close()
  })
})

describe('closed mode', () => {
  it('accepts only keys that were made', async () => {
    expect((await bind(closed, 'invented')).status).toBe(401)
    expect((await closed.call(ALIASES, { key: 'invented' })).status).toBe(401)
    const key = await newKey(await newProject('closed'))
    expect((await bind(closed, key.key)).status).toBe(200)
  })

  it('learns within the second of a key that another instance made', async () => {
    const project = await newProject('later')
    const first = await newKey(project)
    expect((await closed.call(ALIASES, { key: first.key })).status).toBe(200)
  })
})

describe('keys', () => {
  it('are shown once, with their first 8 characters as the prefix', async () => {
    const made = await newKey(await newProject('shown'))
    expect(made.key).toMatch(/^lrk_[A-Za-z0-9_-]{43}$/)
    expect(made.prefix).toBe(made.key.slice(0, 8))
    const listed = await operator<{ keys: object[] }>('GET', `/${made.project_id}/keys`)
    expect(listed.json.keys).toHaveLength(1)
    expect(JSON.stringify(listed.json)).not.toContain(made.key)
  })

  it('come with their new project or not at all', async () => {
    const before = await countProjects()
    const make = () => open.service.projects.verbs.createKey({ projectId: null, name: 'both', role: 'log' })
    const made = await make()
    expect((await operator(`GET`, `/${made.projectId}`)).json).toMatchObject({ name: 'both', origin: 'made' })
    await open.sql`alter table project_keys add constraint no_key check (name <> 'both') not valid`
    await expect(make()).rejects.toThrow()
    await open.sql`alter table project_keys drop constraint no_key`
    expect(await countProjects()).toBe(before + 1)
  })

  it('have the role write where none is named', async () => {
    const project = await newProject('plain')
    expect((await operator<object>('POST', `/${project}/keys`, {})).json).toMatchObject({ role: 'write' })
  })

  it('of one project see the same data, so a key can be rotated', async () => {
    const project = await newProject('rotation')
    const [old, fresh] = [await newKey(project), await newKey(project)]
    await bind(open, old.key, 'kept')
    expect((await operator('DELETE', `/${project}/keys/${old.id}`)).json).toEqual({ revoked: true })
    expect((await operator('DELETE', `/${project}/keys/${old.id}`)).json).toEqual({ revoked: false })
    expect((await open.call(`${ALIASES}kept`, { key: old.key })).status).toBe(401)
    expect((await open.call(`${ALIASES}kept`, { key: fresh.key })).status).toBe(200)
  })

  it.each([
    ['write', 200, 200],
    ['admin', 200, 200],
    ['read', 200, 403],
    ['log', 403, 403],
    ['audit', 403, 403],
  ])('with the role %s may read aliases: %i, write them: %i', async (role, reads, writes) => {
    const made = await newKey(await newProject(role), role)
    expect((await open.call(ALIASES, { key: made.key })).status).toBe(reads)
    expect((await bind(open, made.key)).status).toBe(writes)
  })

  it('of a project are made, listed and revoked by its own key with the role admin, that key among them', async () => {
    const project = await newProject('self-service')
    const admin = await newKey(project, 'admin')
    const ask = (method: string, path = '', json?: unknown) =>
      open.call(`/api/v1/keys${path}`, { method, key: admin.key, ...(json === undefined ? {} : { json }) })
    const made = await ask('POST', '', { name: 'ci', role: 'log' })
    expect(made).toMatchObject({ status: 201, json: { project_id: project, role: 'log', name: 'ci' } })
    const { id, key } = made.json as unknown as Made
    expect((await open.call('/api/v1/log', { key, json: EVENT })).status).toBe(200)
    expect((await ask('GET')).json).toMatchObject({ keys: [{ id: admin.id }, { id }] })
    expect(JSON.stringify((await ask('GET')).json)).not.toContain(key)
    const elsewhere = await newKey(await newProject('elsewhere'))
    expect((await ask('DELETE', `/${elsewhere.id}`)).json).toEqual({ revoked: false })
    expect((await open.call(ALIASES, { key: elsewhere.key })).status).toBe(200)
    for (const one of [id, admin.id]) expect((await ask('DELETE', `/${one}`)).json).toEqual({ revoked: true })
    expect((await open.call('/api/v1/log', { key, json: EVENT })).status).toBe(401)
    expect((await ask('GET')).status).toBe(401)
  })

  it('are at most a thousand, revoked ones included', async () => {
    const project = await newProject('many')
    const fill = (keys: number) => open.sql`
      insert into project_keys (id, project_id, key_hash, pepper_id, prefix, role, revoked_at)
      select gen_random_uuid(), ${project}, sha256(gen_random_uuid()::text::bytea), 'none', 'x', 'read', now()
      from generate_series(1, ${keys}::integer)`
    await fill(999)
    expect((await operator('POST', `/${project}/keys`, {})).status).toBe(201)
    expect(await operator('POST', `/${project}/keys`, {})).toMatchObject({ status: 409, json: { code: 'conflict' } })
  })

  it('are at most a thousand, too, if several are made at once', async () => {
    const project = await newProject('crowd')
    await open.sql`
      insert into project_keys (id, project_id, key_hash, pepper_id, prefix, role)
      select gen_random_uuid(), ${project}, sha256(gen_random_uuid()::text::bytea), 'none', 'x', 'read'
      from generate_series(1, 999)`
    const made = await Promise.all(Array.from({ length: 6 }, () => operator('POST', `/${project}/keys`, {})))
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
  })

  it('cannot be revoked through another project', async () => {
    const made = await newKey(await newProject('victim'))
    const stranger = await newProject('stranger')
    expect((await operator('DELETE', `/${stranger}/keys/${made.id}`)).json).toEqual({ revoked: false })
    expect((await open.call(ALIASES, { key: made.key })).status).toBe(200)
  })

  it('keep working when the pepper is introduced and rotated', async () => {
    const made = await newKey(await newProject('pepper'))
    const peppered = await startService({ ...closedMode(), LLMRING_KEY_PEPPER: 'p'.repeat(32) })
    const project = await newProject('peppered')
    const inside = await peppered.call(`${BASE}/${project}/keys`, { key: OPERATOR, json: {} })
    const fresh = (inside.json as Made).key
    expect((await peppered.call(ALIASES, { key: made.key })).status).toBe(200)
    expect((await peppered.call(ALIASES, { key: fresh })).status).toBe(200)
    expect((await closed.call(ALIASES, { key: fresh })).status).toBe(401)
    await peppered.close()
    const rotated = await startService({
      ...{ ...closedMode(), LLMRING_KEY_PEPPER: 'q'.repeat(32), LLMRING_KEY_PEPPER_PREVIOUS: 'p'.repeat(32) },
    })
    expect((await rotated.call(ALIASES, { key: fresh })).status).toBe(200)
    await rotated.close()
  })
})

describe('the operator', () => {
  it('is refused with a project key, or another key', async () => {
    expect((await open.call(BASE, { key: 'stampede' })).status).toBe(401)
    expect((await open.call(BASE, { key: `${OPERATOR}x` })).status).toBe(401)
  })

  it('pages through all projects without missing or repeating one', async () => {
    for (let index = 0; index < 5; index++) await newProject(`page ${index}`)
    const seen: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const query: string = next === '' ? '?limit=2' : `?limit=2&after=${next}`
      const page = await operator<{ projects: { id: string }[]; next: string | null }>('GET', query)
      seen.push(...page.json.projects.map(({ id }) => id))
      next = page.json.next
    }
    expect(seen.length).toBe(new Set(seen).size)
    expect(seen.length).toBe(await countProjects())
  })

  it('exports everything of a project as NDJSON, whole pages and an end line', async () => {
    const project = await newProject('export')
    const { key } = await newKey(project)
    const items = Array.from({ length: 1_234 }, (_, index) => ({
      alias: `a${index}`,
      model: 'x:y',
      metadata: { n: index },
    }))
    await open.call(`${ALIASES}bulk_upsert`, { key, json: items })
    const text = (await open.call(`${BASE}/${project}/export`, { key: OPERATOR })).text
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; alias: string })
    const of = (type: string) => lines.filter((line) => line.type === type)
    expect([of('project').length, of('key').length, of('alias').length, of('alias_change').length]).toEqual([
      1, 1, 1_234, 1_234,
    ])
    expect(new Set(of('alias').map(({ alias }) => alias)).size).toBe(1_234)
    expect(lines.at(-1)).toEqual({ type: 'end' })
    expect(text).not.toContain(key)
  })

  it('erases a project: its rows are gone, its keys are refused for good, its neighbour is untouched', async () => {
    const [doomed, neighbour] = [await newProject('doomed'), await newProject('neighbour')]
    const [key, other] = [await newKey(doomed), await newKey(neighbour)]
    await bind(open, key.key)
    await bind(open, other.key)
    expect((await operator('DELETE', `/${doomed}`)).json).toMatchObject({ erased: true, rows: { aliases: 7 } })
    for (const table of ['aliases', 'alias_history', 'alias_heads']) {
      const [row] = await open.sql`select count(*)::integer as n from ${open.sql(table)} where project_id = ${doomed}`
      expect(row).toEqual({ n: 0 })
    }
    expect((await bind(open, key.key)).status).toBe(401)
    expect((await operator('GET', `/${doomed}`)).status).toBe(404)
    expect((await operator('DELETE', `/${doomed}`)).status).toBe(404)
    expect((await operator('POST', `/${doomed}/keys`, {})).status).toBe(404)
    expect((await open.call(`${ALIASES}a`, { key: other.key })).status).toBe(200)
  })
})
