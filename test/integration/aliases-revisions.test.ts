import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'
import { startTcpProxy, throughProxy } from '../support/tcp-proxy.js'

const BASE = '/api/v1/aliases'
let database: TestDatabase
let direct: Sql
let one: RunningService
const told: { kind: string; revision: number; profiles?: string[] }[] = []

beforeAll(async () => {
  database = await cloneDatabase()
  direct = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
  one = await startService({ LLMRING_DATABASE_URL: database.url })
  await direct.listen('llmring_changes', (text) => void told.push(JSON.parse(text)))
})
afterAll(async () => {
  await one.close()
  await direct.end({ timeout: 5 })
  await database.drop()
})

const bind = (key: string, json: object, headers: Record<string, string> = {}) =>
  one.call(`${BASE}/bind`, { key, json, headers })
const bulk = (key: string, json: unknown, query = '') => one.call(`${BASE}/bulk_upsert${query}`, { key, json })
const show = async (key: string, alias: string) => (await one.call(`${BASE}/${alias}`, { key })).json
const changes = async (project: string) =>
  direct<{ revision: number; profiles: string[]; kind: string; note: string | null; rows: number }[]>`
    select revision::integer, array_to_json(profiles) as profiles, kind, note,
      (select count(*)::integer from alias_history where project_id = ${project} and revision = of.revision) as rows
    from alias_revisions as of where project_id = ${project} order by revision`
/** What was announced of a project, after everything before was. */
async function announced(project: string) {
  await direct`select pg_notify('llmring_changes', ${JSON.stringify({ kind: 'all-keys-changed', mark: project })})`
  const isMark = (message: object) => 'mark' in message && message.mark === project
  await expect.poll(() => told.some(isMark)).toBe(true)
  return told.filter((message) => 'projectId' in message && message.projectId === project)
}

describe('a revision', () => {
  it('is one transaction that changes something: one row, one batch of history, one message', async () => {
    const { project_id: project } = (await bind('strict', { alias: 'a', model: 'x:1' })).json
    const many = Array.from({ length: 1_000 }, (_, at) => ({ alias: `b${at}`, model: 'x:1', profile: 'p' }))
    expect((await bulk('strict', [...many, { alias: 'a', model: 'x:1' }])).json).toEqual({ updated: 1001, revision: 2 })
    expect(await changes(project)).toEqual([
      { revision: 1, profiles: ['default'], kind: 'write', note: null, rows: 1 },
      { revision: 2, profiles: ['p'], kind: 'write', note: null, rows: 1_000 },
    ])
    expect(await announced(project)).toMatchObject([
      { revision: 1, profiles: ['default'] },
      { revision: 2, profiles: ['p'] },
    ])
  })

  it.each<[string, () => Promise<unknown>]>([
    [
      'a binding that is there',
      () => bind('same', { alias: 'a', models: ['x:1', 'x:2'], constraints: { max_cost: 1 } }),
    ],
    [
      'an old client’s binding of the model that is first',
      () => bind('same', { alias: 'a', model: 'x:1', metadata: null }),
    ],
    ['a bulk of nothing new', () => bulk('same', [{ alias: 'a', model: 'x:1', metadata: null }])],
    ['an empty bulk', () => bulk('same', [])],
    ['a deletion of what is not there', () => one.call(`${BASE}/b`, { key: 'same', method: 'DELETE' })],
  ])('is not taken by %s, which wakes nothing', async (_what, change) => {
    const bound = { alias: 'a', models: ['x:1', 'x:2'], constraints: { max_cost: 1 }, metadata: { owner: 'me' } }
    const { project_id: project } = (await bind('same', bound)).json
    if (_what !== 'a binding that is there') await change()
    else await bind('same', bound)
    expect(await changes(project)).toHaveLength(1)
    expect(await announced(project)).toHaveLength(1)
    expect(await show('same', 'a')).toMatchObject({ ...bound, revision: 1 })
  })

  it('keeps the line that the caller wrote about it', async () => {
    const note = Buffer.from('raised the limit – for über-docs', 'utf8').toString('latin1')
    const { project_id: project } = (await bind('note', { alias: 'a', model: 'x:1' }, { 'X-Change-Note': note })).json
    expect((await changes(project)).map((change) => change.note)).toEqual(['raised the limit – for über-docs'])
    const refused = await bind('note', { alias: 'a', model: 'x:2' }, { 'X-Change-Note': 'x'.repeat(501) })
    expect([refused.status, await changes(project)]).toMatchObject([400, [{ revision: 1 }]])
  })

  it('takes seven round trips to the database at most, all of its statements prepared', async () => {
    const { hostname, port } = new URL(database.url)
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
    const near = await startService({ LLMRING_DATABASE_URL: throughProxy(database.url, proxy) })
    try {
      const taken: number[] = []
      for (let version = 0; version < 20; version++) {
        const before = proxy.roundTrips()
        const json = { alias: 'a', model: `x:${version}`, metadata: { version } }
        expect((await near.call(`${BASE}/bind`, { key: 'near', json })).status).toBe(200)
        taken.push(proxy.roundTrips() - before)
      }
      // Others ask something of the database, too: now and then.
      expect(taken.sort((one, other) => one - other)[4]).toBeLessThanOrEqual(7)
    } finally {
      await near.close()
      await proxy.close()
    }
  })

  it('is not named by profile where there are too many of them', async () => {
    const many = Array.from({ length: 60 }, (_, at) => ({
      alias: 'a',
      model: 'x:1',
      profile: `${at}`.padEnd(200, 'p'),
    }))
    await bulk('wide', many)
    const { project_id: project } = (await bind('wide', { alias: 'z', model: 'x:1' })).json
    expect((await announced(project)).map(({ profiles }) => profiles)).toEqual([undefined, ['default']])
  })
})

describe('a model without `models`', () => {
  it('takes the place of the first, and of the fallbacks, if it is another one', async () => {
    await bind('keeps', { alias: 'a', models: ['x:1', 'x:2'], constraints: { max_cost: 1 }, metadata: { a: 1 } })
    await bind('keeps', { alias: 'a', model: 'x:1', metadata: { b: 2 } })
    expect(await show('keeps', 'a')).toMatchObject({ models: ['x:1', 'x:2'], metadata: { b: 2 }, revision: 2 })
    await bind('keeps', { alias: 'a', model: 'x:2' })
    expect(await show('keeps', 'a')).toMatchObject({ models: ['x:2'], metadata: null, constraints: null, revision: 3 })
  })
})

describe('what a writer expects', () => {
  it('is the alias that If-Match names, or none: 412 with the alias as it is, and nothing written', async () => {
    const made = await bind('match', { alias: 'a', model: 'x:1' }, { 'If-None-Match': '*' })
    const etag = made.headers.get('etag') ?? ''
    expect([made.status, etag]).toEqual([200, expect.stringMatching(/^"[0-9a-f]{8}-1"$/)])
    const again = await bind('match', { alias: 'a', model: 'x:2' }, { 'If-None-Match': '*' })
    expect([again.status, again.json]).toMatchObject([412, { current: { alias: 'a', model: 'x:1' }, revision: 1 }])
    const changed = await bind('match', { alias: 'a', model: 'x:2' }, { 'If-Match': etag })
    expect([changed.status, changed.json.revision]).toEqual([200, 2])
    for (const wrong of [etag, `W/${changed.headers.get('etag')}`, '"other"', 'nonsense']) {
      const headers = { 'If-Match': wrong }
      const put = await one.call(`${BASE}/a`, { key: 'match', method: 'PUT', json: { model: 'x:3' }, headers })
      const gone = await one.call(`${BASE}/a`, { key: 'match', method: 'DELETE', headers })
      expect([put.status, gone.status, put.json.current.model]).toEqual([412, 412, 'x:2'])
    }
    const none = await bind('match', { alias: 'b', model: 'x:3' }, { 'If-Match': '*' })
    expect([none.status, none.json.current]).toEqual([412, null])
    const all = `"z", ${changed.headers.get('etag')}`
    expect(
      (await one.call(`${BASE}/a`, { key: 'match', method: 'DELETE', headers: { 'If-Match': all } })).json,
    ).toEqual({
      ...{ deleted: true, revision: 3 },
    })
  })

  it('is a revision after which none of the profiles changed', async () => {
    await bulk('expected', [{ alias: 'a', model: 'x:1' }], '?profile=p')
    await bulk('expected', [{ alias: 'a', model: 'x:1' }], '?profile=q')
    const item = [{ alias: 'a', model: 'x:2' }]
    const late = await bulk('expected', item, '?profile=q&expected_revision=1')
    expect([late.status, late.json]).toMatchObject([412, { code: 'precondition-failed', revision: 2 }])
    expect((await bulk('expected', item, '?profile=q&expected_revision=7')).status).toBe(412)
    expect((await bulk('expected', item, '?profile=p&expected_revision=1')).json).toEqual({ updated: 1, revision: 3 })
    await one.call(`${BASE}/a?profile=q`, { key: 'expected', method: 'DELETE' })
    expect((await bulk('expected', item, '?profile=q&expected_revision=3')).status).toBe(412)
    expect((await bulk('expected', item, '?profile=q&expected_revision=4')).json).toEqual({ updated: 1, revision: 5 })
  })

  it('holds for one of several that expect the same', async () => {
    const made = await bind('race', { alias: 'a', model: 'x:0' })
    const headers = { 'If-Match': made.headers.get('etag') ?? '' }
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, at) => bind('race', { alias: 'a', model: `x:${at + 1}` }, headers)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(15)
  })

  it('holds for one of several first writers', async () => {
    const headers = { 'If-None-Match': '*' }
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, at) => bind('first', { alias: 'a', model: `x:${at}` }, headers)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})

describe('the digest of a lockfile', () => {
  const digestOf = (answer: { headers: Headers }) => answer.headers.get('x-lock-digest')
  const digestsAt = async (project: string, revision: number) =>
    (await direct`select digest from lock_digests where project_id = ${project} and revision = ${revision}`).map(
      ({ digest }) => digest as string,
    )

  it('is the one of every revision, also of a single binding, under each rule that there was', async () => {
    const made = await bind('digest', { alias: 'a', models: ['x:1', 'x:2'], constraints: { max_cost: 1.5, b: 'ü' } })
    const { project_id: project } = made.json
    expect(await digestsAt(project, 1)).toHaveLength(3)
    expect(await digestsAt(project, 1)).toContain(digestOf(made))
    const [row] = await direct`
      select header::text as header, lock_updated_at as updated from lock_headers
      join alias_revisions using (project_id, revision) where project_id = ${project}`
    const time = JSON.stringify(row?.['updated'])
    const binding = '{"alias":"a","constraints":{"b":"\\u00fc","max_cost":1.5},"models":["x:1","x:2"]}'
    const text =
      `{"created_at":${time},"default_profile":"default","extends":{"packages":[]},"metadata":{},` +
      `"profiles":{"default":{"bindings":[${binding}],"name":"default","registry_versions":{}}},` +
      `"updated_at":${time},"version":"1.0"}`
    expect(digestOf(made)).toBe(createHash('sha256').update(text).digest('hex'))
    expect(JSON.parse(row?.['header'])).toMatchObject({ created_at: row?.['updated'] })
  })

  it('stays where nothing changes, and tells an order from another', async () => {
    const items = ['a', 'b'].map((alias) => ({ alias, model: 'x:1' }))
    const made = await bulk('order', items)
    expect(digestOf(await bulk('order', [...items].reverse()))).toBe(digestOf(made))
    const changed = await bind('order', { alias: 'a', model: 'x:2' })
    expect(digestOf(changed)).not.toBe(digestOf(made))
    expect(digestOf(await one.call(`${BASE}/none`, { key: 'order', method: 'DELETE' }))).toBe(digestOf(changed))
  })

  it('keeps the spelling of a number that a lockfile gave where JSON sends an equal one', async () => {
    const file = (cost: string) =>
      `created_at = 2026-01-01T00:00:00Z\nupdated_at = 2026-01-01T00:00:00Z\n[profiles.default]\n[[profiles.default.bindings]]\nalias = "a"\nmodels = ["x:1"]\nconstraints = { max_cost = ${cost}, requires = ["vision"] }\n`
    const push = (cost: string) =>
      one.call('/api/v1/lockfile', {
        ...{ key: 'spelling', method: 'PUT', body: file(cost) },
        headers: { 'Content-Type': 'application/toml' },
      })
    const send = (path: string, method: string, body: string) =>
      one.call(`${BASE}/${path}`, { key: 'spelling', method, body, headers: { 'Content-Type': 'application/json' } })
    const constraints = (cost: string) => `"constraints":{"requires":["vision"],"max_cost":${cost}}`
    const published = await push('10.0')
    expect(published.json).toMatchObject({ revision: 1, changed: true })
    for (const cost of ['10', '10.0', '1e1']) {
      for (const answer of [
        await send('bind', 'POST', `{"alias":"a","model":"x:1",${constraints(cost)}}`),
        await send('bind', 'POST', `{"alias":"a","models":["x:1"],${constraints(cost)}}`),
        await send('a', 'PUT', `{"model":"x:1",${constraints(cost)}}`),
        await send('bulk_upsert', 'POST', `[{"alias":"a","model":"x:1",${constraints(cost)}}]`),
      ]) {
        expect([answer.status, answer.json.revision, digestOf(answer)]).toEqual([200, 1, published.json.digest])
      }
    }
    // A file is taken at its word, and so is a number that is another one.
    expect((await push('10')).json).toMatchObject({ revision: 2, changed: true })
    expect((await push('10.0')).json).toMatchObject({ revision: 3, digest: published.json.digest })
    expect((await send('a', 'PUT', `{"model":"x:1",${constraints('11.0')}}`)).json.revision).toBe(4)
    expect((await one.call('/api/v1/lockfile', { key: 'spelling' })).text).toContain('max_cost = 11,')
    // With other models the equal number keeps its spelling, too.
    await push('10.0')
    await send('a', 'PUT', `{"model":"x:2",${constraints('10')}}`)
    expect((await one.call('/api/v1/lockfile', { key: 'spelling' })).text).toContain('max_cost = 10.0,')
  })

  it('is the same whichever instance writes, from memory or from the rows', async () => {
    const other = await startService({ LLMRING_DATABASE_URL: database.url })
    try {
      const writes = [
        { alias: 'a', model: 'x:1' },
        { alias: 'b', model: 'x:1', profile: 'p' },
        { alias: 'a', model: 'x:2' },
      ]
      for (const [at, json] of writes.entries()) {
        const answer = await (at % 2 === 0 ? one : other).call(`${BASE}/bind`, { key: 'two', json })
        expect(answer.status).toBe(200)
      }
      await other.call(`${BASE}/b?profile=p`, { key: 'two', method: 'DELETE' })
      const before = await one.call(`${BASE}/none`, { key: 'two', method: 'DELETE' })
      const third = await startService({ LLMRING_DATABASE_URL: database.url })
      const fresh = await third.call(`${BASE}/none`, { key: 'two', method: 'DELETE' })
      await third.close()
      expect([digestOf(fresh), before.json.revision]).toEqual([digestOf(before), 4])
      expect(await digestsAt((await show('two', 'a')).project_id, 4)).toContain(digestOf(fresh))
    } finally {
      await other.close()
    }
  })
})
