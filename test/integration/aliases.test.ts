import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'

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

const bind = (key: string, json: unknown) => one.call('/api/v1/aliases/bind', { key, json })
const resolve = (key: string, alias: string, profile = 'default') =>
  one.call(`/api/v1/aliases/resolve?alias=${encodeURIComponent(alias)}&profile=${profile}`, { key })

describe('binding', () => {
  it('answers with the fields that old clients know, and the new ones', async () => {
    const { status, json } = await bind('shape', {
      alias: 'summarizer',
      model: 'openai:gpt-4o-mini',
      metadata: { a: [1] },
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      ...{ id: 1, profile: 'default', alias: 'summarizer', model: 'openai:gpt-4o-mini', metadata: { a: [1] } },
      ...{ models: ['openai:gpt-4o-mini'], constraints: null, revision: 1 },
    })
    expect(json).toMatchObject({ created_at: expect.stringMatching(/Z$/), updated_at: expect.stringMatching(/Z$/) })
    expect(JSON.stringify(json)).not.toContain('"shape"')
  })

  it('takes null for an optional field as absent', async () => {
    const { status, json } = await bind('nulls', {
      alias: 'a',
      model: 'openai:x',
      profile: null,
      metadata: null,
      models: null,
      constraints: null,
    })
    expect([status, json]).toMatchObject([200, { profile: 'default', metadata: null, models: ['openai:x'] }])
  })

  it('keeps the order of models, the first being the model', async () => {
    await bind('order', { alias: 'a', models: ['anthropic:b', 'openai:a', 'google:c'] })
    expect((await resolve('order', 'a')).json).toEqual({
      ...{
        alias: 'a',
        model: 'anthropic:b',
        models: ['anthropic:b', 'openai:a', 'google:c'],
        profile: 'default',
        revision: 1,
      },
    })
  })

  it('accepts a model without a provider, with a warning', async () => {
    const { status, json } = await bind('bare', { alias: 'a', model: 'gpt-4' })
    expect([status, json]).toMatchObject([200, { model: 'gpt-4', warnings: [expect.stringContaining("'gpt-4'")] }])
  })

  it('keeps an alias’s id and creation time when it is bound again, and counts revisions', async () => {
    const first = (await bind('again', { alias: 'a', model: 'x:1' })).json as { id: number; created_at: string }
    await bind('again', { alias: 'b', model: 'x:1' })
    const second = (await bind('again', { alias: 'a', model: 'x:2' })).json as typeof first & { revision: number }
    expect(second).toMatchObject({ id: first.id, created_at: first.created_at, revision: 3 })
  })

  it('is resolved with every character that JSON has to escape, and with its members in order', async () => {
    const alias = `"\\/\b\f\n\r\t\u0001\u001f\u007f\u0085\u2028\u2029é😀<&>'`
    const models = [`${alias}:1`, 'x:y']
    expect((await one.call('/api/v1/aliases/bind', { key: 'spelt', json: { alias, models } })).status).toBe(200)
    const answer = { alias, model: models[0], models, profile: 'default', revision: 1 }
    expect(JSON.stringify((await resolve('spelt', alias)).json)).toBe(JSON.stringify(answer))
  })

  it('finds every name again, byte for byte', async () => {
    const escapes = ['a/b/c', 'a%2Fb', '%', "'; drop table aliases; --", '__proto__', 'constructor']
    const names = ['a', 'unicode ✓ ünï', 'résumé', 'x'.repeat(255), ...escapes]
    for (const alias of names) {
      expect((await bind('names', { alias, model: `m:${alias.slice(0, 100)}` })).status).toBe(200)
      expect((await resolve('names', alias)).json).toMatchObject({ alias, model: `m:${alias.slice(0, 100)}` })
      const shown = await one.call(`/api/v1/aliases/${encodeURIComponent(alias)}`, { key: 'names' })
      expect(shown.json).toMatchObject({ alias })
    }
    const listed = (await one.call('/api/v1/aliases/', { key: 'names' })).json as { alias: string }[]
    expect(listed.map(({ alias }) => alias)).toEqual(
      [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
  })

  it('keeps metadata as it came, numbers and hostile names included', async () => {
    const metadata = JSON.parse(
      '{"__proto__":{"x":1},"constructor":1,"n":0.1,"big":9007199254740991,"deep":[[[{"a":null}]]]}',
    )
    await bind('meta', { alias: 'a', model: 'x:y', metadata })
    const shown = await one.call('/api/v1/aliases/a', { key: 'meta' })
    expect(Object.entries((shown.json as { metadata: object }).metadata).sort()).toEqual(
      Object.entries(metadata).sort(),
    )
  })
})

describe('an alias named like a route', () => {
  it('resolve is shown by GET without alias=, and by PUT and DELETE', async () => {
    const missing = await one.call('/api/v1/aliases/resolve', { key: 'routes' })
    expect(missing.status).toBe(404)
    expect(await resolve('routes', '')).toMatchObject({ status: 200, json: { alias: '', model: null } })
    expect(
      (await one.call('/api/v1/aliases/resolve', { method: 'PUT', key: 'routes', json: { model: 'x:y' } })).status,
    ).toBe(200)
    expect((await one.call('/api/v1/aliases/resolve', { key: 'routes' })).json).toMatchObject({
      alias: 'resolve',
      id: 1,
    })
    const empty = { alias: '', model: null, models: [], profile: 'default' }
    expect((await resolve('routes', '')).json).toEqual({ ...empty, revision: 1 })
    expect((await resolve('routes', '', '')).json).toEqual({ ...empty, revision: 1 })
    expect((await one.call('/api/v1/aliases/resolve', { method: 'DELETE', key: 'routes' })).json).toMatchObject({
      deleted: true,
    })
  })

  it('bulk_upsert and bind can be set and shown like others', async () => {
    for (const alias of ['bulk_upsert', 'bind']) {
      expect(
        (await one.call(`/api/v1/aliases/${alias}/`, { method: 'PUT', key: 'routes', json: { model: 'x:y' } })).status,
      ).toBe(200)
      expect((await one.call(`/api/v1/aliases/${alias}`, { key: 'routes' })).json).toMatchObject({ alias })
    }
  })
})

describe('bulk_upsert', () => {
  const bulk = (key: string, json: unknown, query = '') =>
    one.call(`/api/v1/aliases/bulk_upsert${query}`, { key, json })

  it('is one revision, counts the items sent, and lets an item’s own profile win', async () => {
    const items = [
      { alias: 'a', model: 'x:1' },
      { alias: 'b', model: 'x:2', profile: 'prod' },
      { alias: 'a', model: 'x:3' },
    ]
    expect((await bulk('bulk', items, '?profile=dev')).json).toMatchObject({ updated: 3 })
    expect((await resolve('bulk', 'a', 'dev')).json).toMatchObject({ model: 'x:3', revision: 1 })
    expect((await resolve('bulk', 'b', 'prod')).json).toMatchObject({ model: 'x:2', revision: 1 })
    expect((await resolve('bulk', 'b', 'dev')).json).toMatchObject({ model: null })
  })

  it('takes null and an empty list for nothing to do', async () => {
    expect((await bulk('empty', null)).json).toMatchObject({ updated: 0 })
    expect((await bulk('empty', [])).json).toMatchObject({ updated: 0 })
    expect((await resolve('empty', 'a')).json).toMatchObject({ revision: 0 })
  })

  it('writes nothing where one item is wrong', async () => {
    const { status, json } = await bulk('wrong', [
      { alias: 'a', model: 'x:1' },
      { alias: '', model: 'x:1' },
      { alias: 'b' },
    ])
    expect(status).toBe(422)
    expect(json).toMatchObject({ errors: [{ pointer: '/1/alias' }, { pointer: '/2/model' }] })
    expect((await one.call('/api/v1/aliases/', { key: 'wrong' })).json).toEqual([])
  })

  it('refuses more aliases than a project may have, and writes none of them', async () => {
    for (let batch = 0; batch < 4; batch++) {
      const items = Array.from({ length: 5_000 }, (_, index) => ({ alias: `a${batch * 5_000 + index}`, model: 'x:y' }))
      expect((await bulk('full', items)).status).toBe(200)
    }
    expect((await bulk('full', [{ alias: 'a0', model: 'x:z' }])).status).toBe(200)
    expect(
      (
        await bulk('full', [
          { alias: 'a1', model: 'x:z' },
          { alias: 'one-more', model: 'x:y' },
        ])
      ).status,
    ).toBe(409)
    expect((await resolve('full', 'a1')).json).toMatchObject({ model: 'x:y' })
  })
})

describe('a profile that is too large to be kept in memory', () => {
  it('is resolved, written and resolved again, and answers as every other', async () => {
    const key = 'too-large'
    const { project_id } = (await bind(key, { alias: 'a', model: 'x:1' })).json as { project_id: string }
    const large = 'y'.repeat(255)
    await one.sql`
      insert into aliases (project_id, profile, alias, id, models, revision, created_at, updated_at, metadata_bytes, names_bytes, place)
      select ${project_id}::uuid, 'default', 'large' || n, n + 100, array_fill(${large}::text, array[32]), 1, now(), now(), 0, 400, n
      from generate_series(1, 1200) as n`
    expect((await bind(key, { alias: 'b', model: 'x:2' })).status).toBe(200)
    expect((await resolve(key, 'a')).json).toMatchObject({ model: 'x:1', revision: 2 })
    expect((await resolve(key, 'large7')).json).toMatchObject({ model: large, revision: 2 })
    expect((await resolve(key, 'unbound')).json).toMatchObject({ alias: 'unbound', model: null, revision: 2 })
    expect((await bind(key, { alias: 'a', model: 'x:3' })).status).toBe(200)
    expect((await resolve(key, 'a')).json).toMatchObject({ model: 'x:3', models: ['x:3'], revision: 3 })
  })
})

describe('history', () => {
  it('has one entry for every change, with the key that made it', async () => {
    await bind('history', { alias: 'a', model: 'x:1' })
    await bind('history', { alias: 'a', model: 'x:2' })
    await one.call('/api/v1/aliases/a', { method: 'DELETE', key: 'history' })
    await one.call('/api/v1/aliases/a', { method: 'DELETE', key: 'history' })
    const { project_id } = (await bind('history', { alias: 'b', model: 'x:1' })).json as { project_id: string }
    const rows = await one.sql`
      select history.revision::integer, action, array_to_json(models) as models, project_keys.id is not null as keyed from alias_history as history
      left join project_keys on project_keys.id = history.key_id
      where history.project_id = ${project_id} and alias = 'a' order by history.revision`
    expect([...rows]).toEqual([
      { revision: 1, action: 'set', models: ['x:1'], keyed: true },
      { revision: 2, action: 'set', models: ['x:2'], keyed: true },
      { revision: 3, action: 'delete', models: null, keyed: true },
    ])
  })

  it('numbers 20 writers at once without gaps or doubles', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => bind('racing', { alias: `a${index % 5}`, model: `x:${index}` })),
    )
    const listed = (await one.call('/api/v1/aliases/', { key: 'racing' })).json as {
      id: number
      revision: number
    }[]
    expect(listed.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5])
    expect((await resolve('racing', 'a0')).json).toMatchObject({ revision: 20 })
  })
})

describe('projects are strangers', () => {
  it('sees nothing of another project’s aliases', async () => {
    await bind('mine', { alias: 'secret', model: 'x:y' })
    expect((await resolve('yours', 'secret')).json).toMatchObject({ model: null })
    expect((await one.call('/api/v1/aliases/secret', { key: 'yours' })).status).toBe(404)
    expect((await one.call('/api/v1/aliases/secret', { method: 'DELETE', key: 'yours' })).json).toMatchObject({
      deleted: false,
    })
    expect((await resolve('mine', 'secret')).json).toMatchObject({ model: 'x:y' })
  })
})
