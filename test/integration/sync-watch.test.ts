import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type AliasChange, type Delta, type EventReader, readEvents } from '../support/event-reader.js'
import { eventually } from '../support/eventually.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

/** Another instance hears of a write through the database alone. */
let database: TestDatabase
let writer: RunningService
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  const environment = { LLMRING_DATABASE_URL: database.url, LLMRING_WATCHERS_MAX: '60' }
  writer = await startService(environment)
  service = await startService(environment)
})
afterAll(async () => {
  await service.close()
  await writer.close()
  await database.drop()
})

let keys = 0
/** The key of a project that has one alias. */
async function newProject(): Promise<string> {
  const key = `watched-${keys++}`
  await bind(key, 'first')
  return key
}
const bind = (key: string, alias: string, model = 'x:1', more: object = {}) =>
  writer.call('/api/v1/aliases/bind', { key, json: { alias, model, ...more } })
const bulk = (key: string, items: readonly object[]) => writer.call('/api/v1/aliases/bulk_upsert', { key, json: items })
const ask = async (key: string, query: string, headers: Record<string, string> = {}) =>
  service.call(`/api/v1/sync?${query}`, { key, headers })
const sync = async (key: string, query: string): Promise<Delta> => (await ask(key, query)).json
const stream = (key: string, query = '', headers: Record<string, string> = {}) =>
  readEvents(`${service.url}/api/v1/sync?${query}`, { 'X-Project-Key': key, ...headers })
const names = (changes: readonly AliasChange[]) => changes.map(({ op, alias }) => `${op} ${alias}`)
const told = (reader: EventReader) => reader.events.map(({ data }) => [data.revision, ...names(data.changes)])
const metric = async (name: string) => {
  const text = (await service.call('/metrics')).text
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}
/** Until so many follow changes. */
const watching = (count: number) => eventually(async () => expect(await metric('llmring_watchers')).toBe(count))

describe('a request that waits', () => {
  it('is answered at once where there is something, and with what changes otherwise', async () => {
    const key = await newProject()
    const { epoch } = await sync(key, 'since=0&wait=60')
    const waiting = sync(key, `since=1&epoch=${epoch}&wait=60&profile=default`)
    await watching(1)
    await bind(key, 'second')
    expect(await waiting).toMatchObject({
      epoch,
      revision: 2,
      reset: false,
      changes: [{ alias: 'second', revision: 2 }],
    })
    await watching(0)
  })

  it('is answered with nothing after its time, or when its service drains', async () => {
    const key = await newProject()
    const begun = performance.now()
    const answer = await ask(key, 'since=1', { Prefer: 'respond-async, wait=1' })
    expect(performance.now() - begun).toBeGreaterThan(800)
    expect(answer.json).toMatchObject({ revision: 1, reset: false, changes: [] })
    const other = await startService({ LLMRING_DATABASE_URL: database.url })
    const held = other.call('/api/v1/sync?since=1&wait=60', { key })
    await eventually(async () => expect((await other.call('/metrics')).text).toContain('llmring_watchers 1'))
    other.service.startDraining()
    expect(await held).toMatchObject({ status: 200, json: { revision: 1, changes: [] } })
    await other.close()
  })

  it('is woken by its own project and profile alone', async () => {
    const key = await newProject()
    const neighbour = await newProject()
    await bind(key, 'staged', 'x:1', { profile: 'staging' })
    const ours = sync(key, 'since=2&profile=default&wait=60')
    const both = sync(key, 'since=2&wait=60')
    await watching(2)
    await bind(neighbour, 'other')
    await bind(key, 'staged', 'x:2', { profile: 'staging' })
    expect(names((await both).changes)).toEqual(['upsert staged'])
    await watching(1)
    await bind(key, 'mine')
    const answer = await ours
    expect([answer.revision, names(answer.changes)]).toEqual([4, ['upsert mine']])
  })

  it('is not woken by a write that changes nothing', async () => {
    const key = await newProject()
    const waiting = sync(key, 'since=1&wait=60')
    await watching(1)
    await bind(key, 'first')
    await bind(key, 'then')
    expect(await waiting).toMatchObject({ revision: 2, changes: [{ alias: 'then' }] })
  })

  it('is forgotten when its client leaves, and is not counted as under way', async () => {
    const key = await newProject()
    const leave = new AbortController()
    const headers = { 'X-Project-Key': key }
    const held = fetch(`${service.url}/api/v1/sync?since=1&wait=60`, { headers, signal: leave.signal })
    held.catch(() => undefined)
    await watching(1)
    leave.abort()
    await watching(0)
  })

  it('gets a document of many pages, too', async () => {
    const key = await newProject()
    const waiting = sync(key, 'since=1&wait=60')
    await watching(1)
    await bulk(
      key,
      Array.from({ length: 1_500 }, (_, at) => ({ alias: `a${at}`, model: 'x:1' })),
    )
    expect((await waiting).changes.length).toBe(1_500)
  })
})

describe('a stream of changes', () => {
  it('begins with what there is, and then has one event a revision', async () => {
    const key = await newProject()
    await bind(key, 'gone')
    await writer.call('/api/v1/aliases/gone', { key, method: 'DELETE' })
    const reader = await stream(key, 'profile=default')
    const [first] = await reader.received(1)
    const epoch = first?.data.epoch ?? ''
    expect(first).toMatchObject({
      id: '3',
      data: { revision: 3, profile: 'default', reset: false },
    })
    await bind(key, 'a')
    await reader.received(2)
    await bulk(
      key,
      Array.from({ length: 1_000 }, (_, at) => ({ alias: `b${at}`, model: 'x:1' })),
    )
    await reader.received(3)
    await writer.call('/api/v1/aliases/a', { key, method: 'DELETE' })
    const events = await reader.received(4)
    expect(events.map(({ id }) => id)).toEqual(['3', '4', '5', '6'])
    expect(events.map(({ data }) => data.changes.length)).toEqual([2, 1, 1_000, 1])
    expect(names(events[3]?.data.changes ?? [])).toEqual(['delete a'])
    expect(events.every(({ data }) => data.epoch === epoch && !data.reset)).toBe(true)
    reader.close()
    await watching(0)
  })

  it('goes on behind the last event that its reader had, whatever its address says', async () => {
    const key = await newProject()
    const before = await stream(key)
    const [first] = await before.received(1)
    before.close()
    await bind(key, 'missed')
    for (const id of [first?.id ?? '', `${first?.data.epoch.slice(0, 8)}-1`]) {
      const after = await stream(key, 'since=0', { 'Last-Event-ID': id })
      await after.received(1)
      expect(told(after)).toEqual([[2, 'upsert missed']])
      after.close()
    }
  })

  it('begins anew where the last event was of another epoch, from above the head, or none of ours', async () => {
    const key = await newProject()
    for (const id of ['01234567-1', '7', 'nonsense']) {
      const reader = await stream(key, 'since=1', { 'Last-Event-ID': id })
      const [event] = await reader.received(1)
      expect(event?.data).toMatchObject({ reset: true, revision: 1, changes: [{ alias: 'first' }] })
      reader.close()
    }
  })

  it('catches up in pages that end where a revision does', async () => {
    const key = await newProject()
    for (let at = 0; at < 8; at++) {
      await bulk(
        key,
        Array.from({ length: 90 }, (_, index) => ({ alias: `a${at}-${index}`, model: `x:${'y'.repeat(99)}` })),
      )
    }
    const reader = await stream(key, 'profile=default')
    await eventually(() => expect(reader.events.at(-1)?.data.revision).toBe(9))
    const { events } = reader
    expect(events.length).toBeGreaterThan(1)
    expect(events.flatMap(({ data }) => data.changes).length).toBe(721)
    expect(events.map(({ data }) => data.more ?? false)).toEqual(events.map((_, at) => at < events.length - 1))
    for (const { data } of events) expect(data.changes.at(-1)?.revision).toBe(data.revision)
    reader.close()
  })

  it('is one of its project and profile alone', async () => {
    const key = await newProject()
    const neighbour = await newProject()
    const reader = await stream(key, 'profile=default&since=1')
    const theirs = await stream(neighbour, 'since=1')
    await Promise.all([reader.received(1), theirs.received(1)])
    await bind(key, 'staged', 'x:1', { profile: 'staging' })
    await bind(neighbour, 'other')
    await bind(key, 'mine')
    await Promise.all([reader.received(2), theirs.received(2)])
    expect(told(reader)).toEqual([[1], [3, 'upsert mine']])
    expect(told(theirs)).toEqual([[1], [2, 'upsert other']])
    reader.close()
    theirs.close()
  })

  it('has an event of a revision that changes only what a lockfile holds beside its aliases', async () => {
    const key = await newProject()
    await bind(key, 'staged', 'x:1', { profile: 'staging' })
    const reader = await stream(key, 'since=2&profile=default')
    await reader.received(1)
    const lockfile = (await writer.call('/api/v1/lockfile', { key, headers: { Accept: 'application/json' } })).json
    const json = { ...lockfile, metadata: { team: 'search' } }
    const put = await writer.call('/api/v1/lockfile', { key, method: 'PUT', json })
    expect([put.status, put.json.revision]).toEqual([200, 3])
    const [, event] = await reader.received(2)
    expect(event?.data).toMatchObject({ revision: 3, reset: false, changes: [] })
    await bind(key, 'staged', 'x:2', { profile: 'staging' })
    await bind(key, 'mine')
    await reader.received(3)
    expect(told(reader)).toEqual([[2], [3], [5, 'upsert mine']])
    reader.close()
    await watching(0)
  })

  it('has last words when its service drains', async () => {
    const key = await newProject()
    const other = await startService({ LLMRING_DATABASE_URL: database.url })
    const reader = await readEvents(`${other.url}/api/v1/sync`, { 'X-Project-Key': key })
    await reader.received(1)
    other.service.startDraining()
    await eventually(() => expect(reader.isOver()).toBe(true))
    expect(reader.text()).toMatch(/: draining\n\nretry: \d+\n\n$/)
    await other.close()
  })

  it('is cut where its reader takes nothing while more is due, and is whole for one that comes back', async () => {
    const key = await newProject()
    const cutBefore = await metric('llmring_watchers_cut_total')
    const { port, hostname } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write(
      `GET /api/v1/sync?since=1 HTTP/1.1\r\nHost: a\r\nX-Project-Key: ${key}\r\nAccept: text/event-stream\r\n\r\n`,
    )
    await watching(1)
    const large = (round: number) =>
      Array.from({ length: 60 }, (_, at) => ({
        alias: `a${round}-${at}`,
        model: 'x:1',
        metadata: { round, text: 'z'.repeat(60_000) },
      }))
    socket.pause()
    // More than the system takes in the reader's place.
    const rounds = 6
    for (let round = 0; round < rounds; round++) await bulk(key, large(round))
    await watching(0)
    expect(await metric('llmring_watchers_cut_total')).toBe(cutBefore + 1)
    socket.destroy()
    const reader = await stream(key, 'since=1')
    await eventually(() => expect(reader.events.at(-1)?.data.revision).toBe(rounds + 1), 30_000)
    expect(new Set(reader.events.flatMap(({ data }) => data.changes.map(({ alias }) => alias))).size).toBe(60 * rounds)
    reader.close()
    await watching(0)
  })
})

describe('those who follow changes', () => {
  it('are as many as there may be, of which one project has nine tenths', async () => {
    const key = await newProject()
    const other = await newProject()
    const readers = await Promise.all(Array.from({ length: 54 }, () => stream(key)))
    const refused = await ask(key, 'since=1&wait=60')
    expect([refused.status, refused.json.code]).toEqual([503, 'overloaded'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    readers.push(...(await Promise.all(Array.from({ length: 6 }, () => stream(other)))))
    expect((await stream(other)).status).toBe(503)
    expect((await ask(key, 'since=0')).status).toBe(200)
    for (const reader of readers) reader.close()
    await watching(0)
  })

  it('do not outlive their key or their project by more than seconds', async () => {
    const project = (await writer.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: { name: 'p' } })).json.id
    const newKey = async () =>
      (await writer.call(`/api/v1/admin/projects/${project}/keys`, { key: OPERATOR_KEY, json: { name: 'k' } })).json
    const [revoked, erased] = [await newKey(), await newKey()]
    const first = await stream(revoked.key)
    const waiting = ask(revoked.key, 'since=0&wait=60')
    const second = await stream(erased.key)
    await watching(3)
    await writer.call(`/api/v1/admin/projects/${project}/keys/${revoked.id}`, { key: OPERATOR_KEY, method: 'DELETE' })
    await eventually(() => expect(first.isOver()).toBe(true), 5_000)
    expect((await waiting).status).toBe(401)
    expect(second.isOver()).toBe(false)
    await writer.call(`/api/v1/admin/projects/${project}`, { key: OPERATOR_KEY, method: 'DELETE' })
    await eventually(() => expect(second.isOver()).toBe(true), 5_000)
    await watching(0)
  })

  it('learn that their key got a project, which is another one than they followed', async () => {
    const key = `becomes-a-project-${keys++}`
    const reader = await stream(key)
    const waiting = sync(key, 'since=0&wait=60')
    await watching(2)
    await bind(key, 'first')
    await eventually(() => expect(reader.isOver()).toBe(true), 5_000)
    const { epoch, revision } = await waiting
    const anew = await sync(key, `since=${revision}&epoch=${epoch}`)
    expect(anew).toMatchObject({ reset: true, revision: 1, changes: [{ alias: 'first' }] })
  })

  it('have an event of each revision, also of those that are read together', async () => {
    const key = await newProject()
    const reader = await stream(key, 'since=0&profile=default')
    await eventually(() => expect(reader.events).toHaveLength(1))
    const binds = Array.from({ length: 40 }, (_, at) => bind(key, `a${at % 3}`, `x:${at}`))
    const elsewhere = Array.from({ length: 5 }, () => bind(key, 'b', 'x:1', { profile: 'other' }))
    const revisions = (await Promise.all([...binds, ...elsewhere])).map(({ json }) => json)
    const own = revisions.slice(0, 40).map(({ revision, alias, model }) => ({ revision, alias, model }))
    own.sort((one, other) => one.revision - other.revision)
    await eventually(() => expect(reader.events.at(-1)?.data.revision).toBe(own.at(-1)?.revision))
    const events = reader.events.slice(1).map(({ data }) => ({ revision: data.revision, changes: data.changes }))
    expect(events).toMatchObject(
      own.map(({ revision, alias, model }) => ({ revision, changes: [{ revision, alias, models: [model] }] })),
    )
    reader.close()
  })

  it('are told every revision in order, and the last one in the end, however fast they come', async () => {
    const key = await newProject()
    const readers = await Promise.all(Array.from({ length: 20 }, () => stream(key, 'since=1')))
    for (let at = 0; at < 20; at++) await bind(key, `a${at % 5}`, `x:${at}`)
    await Promise.all(readers.map((reader) => eventually(() => expect(reader.events.at(-1)?.data.revision).toBe(21))))
    for (const { events } of readers) {
      const revisions = events.map(({ data }) => data.revision)
      expect(revisions).toEqual([...new Set(revisions)].toSorted((one, other) => one - other))
    }
    for (const reader of readers) reader.close()
  })
})
