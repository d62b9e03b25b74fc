import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let one: RunningService

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const bind = (key: string, json: object, note?: string) =>
  one.call('/api/v1/aliases/bind', { key, json, headers: note === undefined ? {} : { 'X-Change-Note': note } })
const remove = (key: string, alias: string, profile = 'default') =>
  one.call(`/api/v1/aliases/${alias}?profile=${profile}`, { key, method: 'DELETE' })
const history = async (key: string, query = '') => (await one.call(`/api/v1/history${query}`, { key })).json
const rollback = (key: string, json: object) => one.call('/api/v1/rollback', { key, json })
const promote = (key: string, from: string, json: object) => one.call(`/api/v1/profiles/${from}/promote`, { key, json })
/** What is bound, by profile and alias. */
async function bound(key: string) {
  const rows: { profile: string; alias: string; models: string[]; constraints: unknown; metadata: unknown }[] = (
    await one.call('/api/v1/aliases/', { key })
  ).json
  return Object.fromEntries(
    rows.map(({ profile, alias, ...row }) => [
      `${profile}/${alias}`,
      { models: row.models, constraints: row.constraints, metadata: row.metadata },
    ]),
  )
}
const meaning = (models: string[], constraints: unknown = null, metadata: unknown = null) => ({
  ...{ models, constraints, metadata },
})

describe('the history', () => {
  it('says who changed what, when and why, newest first, deleted aliases too', async () => {
    const project = (await one.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: { name: 'p' } })).json.id
    const made = await one.call(`/api/v1/admin/projects/${project}/keys`, {
      ...{ key: OPERATOR_KEY, json: { name: 'deploy bot', role: 'write' } },
    })
    const { key } = made.json
    await bind(key, { alias: 'a', models: ['x:1', 'x:2'], metadata: { owner: 'me' } }, 'first')
    await bind(key, { alias: 'a', model: 'x:3', constraints: { max_cost: 1 } })
    await remove(key, 'a')
    const who = { label: 'deploy bot', prefix: key.slice(0, 8) }
    const same = { key: who, profile: 'default', alias: 'a', at: expect.stringMatching(/Z$/) }
    const first = meaning(['x:1', 'x:2'], null, { owner: 'me' })
    const second = meaning(['x:3'], { max_cost: 1 })
    expect(await history(key)).toEqual([
      { ...same, revision: 3, note: null, action: 'delete', before: second, after: null },
      { ...same, revision: 2, note: null, action: 'set', before: first, after: second },
      { ...same, revision: 1, note: 'first', action: 'set', before: null, after: first },
    ])
    expect(JSON.stringify(await history(key))).not.toContain(key)
  })

  it('comes in pages that lead from one to the next, within the filters', async () => {
    const items = Array.from({ length: 7 }, (_, at) => ({ alias: `a${at}`, model: 'x:1', profile: `p${at % 2}` }))
    await one.call('/api/v1/aliases/bulk_upsert', { key: 'pages', json: items })
    await remove('pages', 'a1', 'p1')
    const seen: string[] = []
    let next: string | undefined = '/api/v1/history?limit=2&profile=p1'
    for (let page = 0; next !== undefined && page < 5; page++) {
      const answer = await one.call(next, { key: 'pages' })
      for (const { revision, alias } of answer.json) seen.push(`${revision} ${alias}`)
      next = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    expect(seen).toEqual(['2 a1', '1 a5', '1 a3', '1 a1'])
    expect((await history('pages', '?action=delete')).map(({ alias }: { alias: string }) => alias)).toEqual(['a1'])
    expect(await history('pages', '?alias=a1')).toHaveLength(2)
    expect(await history('pages', '?revision=1')).toHaveLength(7)
    for (const wrong of ['?after=nonsense', '?limit=201', '?action=other', '?revision=0']) {
      expect((await one.call(`/api/v1/history${wrong}`, { key: 'pages' })).status).toBe(422)
    }
  })

  it('has shorter pages where the changes are large, and ends', async () => {
    const metadata = { text: 'x'.repeat(60_000) }
    for (let at = 0; at < 8; at++) await bind('large', { alias: `a${at}`, model: 'x:1', metadata })
    const page = await one.call('/api/v1/history', { key: 'large' })
    expect(page.json.length).toBeLessThan(8)
    expect(page.headers.get('link')).toContain('rel="next"')
  })
})

describe('a rollback', () => {
  it('binds everything as it was, in a revision of its own that can be undone, too', async () => {
    await bind('back', { alias: 'a', models: ['x:1', 'x:2'], constraints: { max_cost: 1.5 }, metadata: { n: [1] } })
    await bind('back', { alias: 'b', model: 'x:1', profile: 'p' })
    const then = await bound('back')
    await bind('back', { alias: 'a', models: ['x:9'] })
    await bind('back', { alias: 'c', model: 'x:1' })
    await remove('back', 'b', 'p')
    const now = await bound('back')
    const tried = await rollback('back', { to_revision: 2, dry_run: true })
    const diff = {
      added: [{ profile: 'p', alias: 'b', ...meaning(['x:1']) }],
      changed: [
        {
          ...{ profile: 'default', alias: 'a', before: meaning(['x:9']) },
          after: meaning(['x:1', 'x:2'], { max_cost: 1.5 }, { n: [1] }),
        },
      ],
      removed: [{ profile: 'default', alias: 'c', ...meaning(['x:1']) }],
    }
    expect([tried.status, tried.json]).toEqual([200, { revision: 5, changed: false, dry_run: true, diff }])
    expect(await bound('back')).toEqual(now)
    expect((await rollback('back', { to_revision: 2 })).json).toMatchObject({ revision: 6, changed: true, diff })
    expect(await bound('back')).toEqual(then)
    expect((await rollback('back', { to_revision: 5 })).json).toMatchObject({ revision: 7 })
    expect(await bound('back')).toEqual(now)
    expect(await rollback('back', { to_revision: 7 })).toMatchObject({ json: { revision: 7, changed: false } })
    expect((await rollback('back', { to_revision: 0 })).json.diff.removed).toHaveLength(2)
    expect(await bound('back')).toEqual({})
  })

  it('is of one profile where one is named', async () => {
    await bind('part', { alias: 'a', model: 'x:1', profile: 'p' })
    await bind('part', { alias: 'a', model: 'x:1', profile: 'q' })
    await rollback('part', { to_revision: 0, profile: 'p' })
    expect(Object.keys(await bound('part'))).toEqual(['q/a'])
  })

  it('is refused above the revision that holds, and where something changed since the expected one', async () => {
    await bind('refused', { alias: 'a', model: 'x:1' })
    await bind('refused', { alias: 'a', model: 'x:2' })
    const future = await rollback('refused', { to_revision: 3 })
    expect([future.status, future.json]).toMatchObject([422, { errors: [{ pointer: '/to_revision' }] }])
    expect((await rollback('refused', { to_revision: 1, expected_revision: 1 })).status).toBe(412)
    expect((await rollback('nobody', { to_revision: 1 })).status).toBe(422)
    expect((await bound('refused'))['default/a']?.models).toEqual(['x:2'])
  })

  it('of too much metadata at once is refused, and changes nothing', async () => {
    const metadata = { text: 'x'.repeat(65_000) }
    const items = Array.from({ length: 60 }, (_, at) => ({ alias: `a${at}`, model: 'x:1', metadata }))
    for (let at = 0; at < 3; at++) {
      const profile = `?profile=p${at}`
      expect((await one.call(`/api/v1/aliases/bulk_upsert${profile}`, { key: 'heavy', json: items })).status).toBe(200)
    }
    expect((await rollback('heavy', { to_revision: 0 })).json).toMatchObject({ code: 'conflict' })
    expect((await rollback('heavy', { to_revision: 0, profile: 'p0' })).json).toMatchObject({ revision: 4 })
  })
})

describe('a promotion', () => {
  it('mirrors a profile, removals included, and shows what it would do', async () => {
    const from = [
      { alias: 'a', models: ['x:1', 'x:2'], constraints: { max_cost: 2 }, metadata: { t: 1 } },
      { alias: 'b', model: 'x:1' },
      { alias: 'same', model: 'x:1' },
    ]
    await one.call('/api/v1/aliases/bulk_upsert?profile=staging', { key: 'up', json: from })
    const to = [
      { alias: 'a', model: 'x:1' },
      { alias: 'gone', model: 'x:1' },
      { alias: 'same', model: 'x:1' },
    ]
    await one.call('/api/v1/aliases/bulk_upsert?profile=prod', { key: 'up', json: to })
    const diff = {
      added: [{ profile: 'prod', alias: 'b', ...meaning(['x:1']) }],
      changed: [
        {
          ...{ profile: 'prod', alias: 'a', before: meaning(['x:1']) },
          after: meaning(['x:1', 'x:2'], { max_cost: 2 }, { t: 1 }),
        },
      ],
      removed: [{ profile: 'prod', alias: 'gone', ...meaning(['x:1']) }],
    }
    const tried = await promote('up', 'staging', { to: 'prod', dry_run: true })
    expect(tried.json).toEqual({ revision: 2, changed: false, dry_run: true, diff })
    expect((await promote('up', 'staging', { to: 'prod' })).json).toMatchObject({ revision: 3, changed: true, diff })
    expect((await promote('up', 'staging', { to: 'prod' })).json).toMatchObject({ revision: 3, changed: false })
    expect(await history('up', '?revision=3')).toHaveLength(3)
    const { profiles } = (await one.call('/api/v1/profiles', { key: 'up' })).json
    expect(profiles).toMatchObject([
      { name: 'prod', aliases: 3, revision: 3 },
      { name: 'staging', aliases: 3, revision: 1 },
    ])
    await remove('up', 'b', 'staging')
    expect((await one.call('/api/v1/profiles', { key: 'up' })).json.profiles[1]).toMatchObject({
      aliases: 2,
      revision: 4,
    })
  })

  it('moves the named aliases only, one that is not there any more included', async () => {
    await one.call('/api/v1/aliases/bulk_upsert?profile=p', {
      ...{ key: 'named', json: ['a', 'b'].map((alias) => ({ alias, model: 'x:1' })) },
    })
    await bind('named', { alias: 'old', model: 'x:1', profile: 'q' })
    const { json } = await promote('named', 'p', { to: 'q', aliases: ['a', 'old'] })
    expect([json.diff.added.length, json.diff.removed.length]).toEqual([1, 1])
    expect(Object.keys(await bound('named')).sort()).toEqual(['p/a', 'p/b', 'q/a'])
    const unknown = await promote('named', 'p', { to: 'q', aliases: ['a', 'zz'] })
    expect([unknown.status, unknown.json.detail]).toEqual([404, "No alias 'zz' in profile 'p', nor in 'q'."])
  })

  it('is refused from a profile without aliases, to itself, and where something changed since', async () => {
    await bind('no', { alias: 'a', model: 'x:1', profile: 'q' })
    expect((await promote('no', 'p', { to: 'q' })).status).toBe(404)
    expect((await promote('no', 'q', { to: 'q' })).json).toMatchObject({ errors: [{ pointer: '/to' }] })
    await bind('no', { alias: 'a', model: 'x:2', profile: 'q' })
    expect((await promote('no', 'q', { to: 'p', expected_revision: 1 })).status).toBe(412)
    expect((await promote('no', 'q', { to: 'p', expected_revision: 2 })).json.revision).toBe(3)
    expect((await promote('other', 'q', { to: 'p' })).status).toBe(404)
  })
})
