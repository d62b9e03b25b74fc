import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import type { AliasChange, Delta } from '../support/event-reader.js'
import { type RunningService, startService } from '../support/service.js'

const NO_EPOCH = '00000000-0000-0000-0000-000000000000'
let database: TestDatabase
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const bind = (key: string, alias: string, model = 'x:1', more: object = {}) =>
  service.call('/api/v1/aliases/bind', { key, json: { alias, model, ...more } })
const remove = (key: string, alias: string, profile = 'default') =>
  service.call(`/api/v1/aliases/${alias}?profile=${profile}`, { key, method: 'DELETE' })
const bulk = (key: string, items: readonly object[]) =>
  service.call('/api/v1/aliases/bulk_upsert', { key, json: items })
const sync = async (key: string, query = '', headers: Record<string, string> = {}): Promise<Delta> => {
  const answer = await service.call(`/api/v1/sync?${query}`, { key, headers })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.json
}
const told = (changes: readonly AliasChange[]) =>
  changes.map(({ revision, op, profile, alias, models }) =>
    `${revision} ${op} ${profile}/${alias} ${models.join()}`.trim(),
  )

describe('the changes since a revision', () => {
  it('are the aliases as they are, and the deletions of those that are gone, by revision', async () => {
    const key = 'what-changed'
    await bind(key, 'a', 'x:1', { constraints: { min_context: 10 }, metadata: { owner: 'me' } })
    await bind(key, 'b')
    await bind(key, 'c', 'x:1', { profile: 'prod' })
    await remove(key, 'b')
    await bind(key, 'a', 'x:2', { constraints: { min_context: 10 }, metadata: { owner: 'me' } })
    const all = await sync(key)
    expect(all).toMatchObject({ revision: 5, profile: null, reset: false })
    expect(told(all.changes)).toEqual(['3 upsert prod/c x:1', '4 delete default/b', '5 upsert default/a x:2'])
    expect(all.changes[2]).toEqual({
      ...{ revision: 5, op: 'upsert', alias: 'a', profile: 'default', models: ['x:2'] },
      ...{ constraints: { min_context: 10 }, metadata: { owner: 'me' } },
    })
    expect(all.changes[1]).toMatchObject({ models: [], constraints: null, metadata: null })
    const some = await sync(key, `since=3&epoch=${all.epoch}&profile=default`)
    expect(some).toMatchObject({ revision: 5, profile: 'default', reset: false })
    expect(told(some.changes)).toEqual(['4 delete default/b', '5 upsert default/a x:2'])
    expect(await sync(key, `since=5&epoch=${all.epoch}`)).toMatchObject({ revision: 5, reset: false, changes: [] })
    expect(await sync(key, 'since=4&profile=prod')).toMatchObject({ revision: 5, changes: [] })
  })

  it('name a deletion once, the last one, and none of what is there again', async () => {
    const key = 'again-and-again'
    for (let time = 0; time < 3; time++) {
      await bind(key, 'a', `x:${time}`)
      await remove(key, 'a')
      await bind(key, 'b', `x:${time}`)
      await remove(key, 'b')
    }
    await bind(key, 'b', 'x:9')
    expect(told((await sync(key, 'since=1&profile=default')).changes)).toEqual([
      '10 delete default/a',
      '13 upsert default/b x:9',
    ])
  })

  it('are none, at revision 0, of a project that has none, and of a key that has no project', async () => {
    const empty = { epoch: NO_EPOCH, revision: 0, profile: null, reset: false, changes: [] }
    expect(await sync('never-written')).toEqual(empty)
    expect(await sync('never-written', `epoch=${NO_EPOCH}`)).toEqual(empty)
    expect(await sync('never-written', 'since=3')).toEqual({ ...empty, reset: true })
    expect(await sync('never-written', 'epoch=0123abcd')).toEqual({ ...empty, reset: true })
  })

  it('begin anew, with a reset, for who comes from another epoch or from above the head', async () => {
    const key = 'resets'
    await bind(key, 'a')
    await bind(key, 'b')
    const { epoch } = await sync(key)
    const whole = ['1 upsert default/a x:1', '2 upsert default/b x:1']
    for (const query of ['since=2&epoch=12345678-0000-4000-8000-000000000000', 'since=2&epoch=12345678', 'since=3']) {
      const anew = await sync(key, query)
      expect([anew.reset, anew.revision, told(anew.changes)]).toEqual([true, 2, whole])
    }
    const same = await sync(key, `since=2&epoch=${epoch.slice(0, 8).toUpperCase()}`)
    expect(same).toMatchObject({ reset: false, changes: [] })
  })

  it('stream in pieces where they are many, as one document that a single read would give', async () => {
    const key = 'many'
    const aliases = Array.from({ length: 2_500 }, (_, at) => ({
      alias: `a${at}`,
      model: 'x:1',
      metadata: { text: 'é"\n' },
    }))
    await bulk(key, aliases)
    const large = (at: number) => ({ alias: `b${at}`, model: 'x:2', metadata: { text: 'y'.repeat(9_000) } })
    for (let at = 0; at < 20; at += 4) await bulk(key, [large(at), large(at + 1), large(at + 2), large(at + 3)])
    for (let at = 0; at < 700; at += 100) await remove(key, `a${at}`)
    const { revision, changes } = await sync(key, 'profile=default')
    expect([revision, changes.length]).toEqual([13, 2_520])
    expect(new Set(changes.map(({ alias }) => alias)).size).toBe(2_520)
    const revisions = changes.map((change) => change.revision)
    expect(revisions).toEqual(revisions.toSorted((one, other) => one - other))
    expect(changes.filter(({ op }) => op === 'delete').length).toBe(7)
    expect((await sync(key)).changes).toEqual(changes)
  })

  it('are those of the project alone: what another one has of the same names hides nothing', async () => {
    const [key, other] = ['own-changes', 'changes-of-another']
    await bind(key, 'a')
    await bind(other, 'a')
    await remove(key, 'a')
    // Later, by its revisions, than everything of the first one.
    for (const model of ['x:2', 'x:3', 'x:4']) await bind(other, 'a', model)
    expect(told((await sync(key, 'since=1')).changes)).toEqual(['2 delete default/a'])
    await remove(other, 'a')
    expect(told((await sync(key, 'since=1')).changes)).toEqual(['2 delete default/a'])
    expect(told((await sync(other, 'since=1')).changes)).toEqual(['5 delete default/a'])
  })

  it('of all profiles are those of each, however many there are', async () => {
    const key = 'wide'
    const profiles = Array.from({ length: 700 }, (_, at) => `p${at}`)
    await bulk(
      key,
      profiles.map((profile) => ({ alias: 'a', model: 'x:1', profile })),
    )
    await bulk(key, [{ alias: 'b', model: 'x:2', profile: 'p350' }])
    await remove(key, 'a', 'p699')
    expect((await sync(key)).changes.length).toBe(701)
    expect(told((await sync(key, 'since=1')).changes)).toEqual(['2 upsert p350/b x:2', '3 delete p699/a'])
  })
})

describe('what is asked wrongly', () => {
  it.each(['since=-1', 'since=1e3', 'since=99999999999999999999', 'epoch=other', 'wait=0', 'wait=61', 'wait=x'])(
    'is refused: %s',
    async (query) => {
      const { status, json } = await service.call(`/api/v1/sync?${query}`, { key: 'wrong' })
      expect([status, json.code]).toEqual([422, 'validation-failed'])
    },
  )
})

describe('a neighbour', () => {
  it('sees nothing of it, whatever it sends', async () => {
    await bind('mine', 'secret-alias')
    const { epoch } = await sync('mine')
    await bind('theirs', 'other')
    const answer = await service.call(`/api/v1/sync?since=0&epoch=${epoch}`, { key: 'theirs' })
    expect(answer.text).not.toContain('secret-alias')
    expect(answer.text).not.toContain(epoch)
    expect(answer.json).toMatchObject({ reset: true, revision: 1 })
  })
})
