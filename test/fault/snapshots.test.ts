import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changesChannel } from '../../src/db/messages.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService, WAY_HEADER } from '../support/service.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

let database: TestDatabase
let proxy: TcpProxy
let writer: RunningService
let reader: RunningService

beforeAll(async () => {
  database = await cloneDatabase()
  const { hostname, port } = new URL(database.url)
  proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  writer = await startService({ LLMRING_DATABASE_URL: database.url })
  // A pool that is not told its schema: with an address around a pooler, that is the database's own matter.
  await writer.sql.unsafe(`alter database ${new URL(database.url).pathname.slice(1)} set search_path = llmring`)
  reader = await startService({
    LLMRING_DATABASE_URL: database.url,
    LLMRING_DATABASE_DIRECT_URL: throughProxy(database.url, proxy),
  })
})
afterAll(async () => {
  await reader.close()
  await writer.close()
  await proxy.close()
  await database.drop()
})

const bind = (model: string) => writer.call('/api/v1/aliases/bind', { json: { alias: 'a', model } })
const seenBy = async (instance: RunningService) =>
  ((await instance.call('/api/v1/aliases/resolve?alias=a')).json as { model: string }).model

describe('what an instance answers from memory', () => {
  it('is read-your-writes where the write was made', async () => {
    for (let round = 0; round < 20; round++) {
      await bind(`own:${round}`)
      expect(await seenBy(writer)).toBe(`own:${round}`)
    }
  })

  it('follows the writes of another instance', async () => {
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(2_000))
    const tookMs: number[] = []
    for (let round = 0; round < 10; round++) {
      await bind(`other:${round}`)
      const from = performance.now()
      await eventually(async () => expect(await seenBy(reader)).toBe(`other:${round}`))
      tookMs.push(performance.now() - from)
    }
    // Each of them, unless the machine is busy with something else.
    expect(Math.min(...tookMs)).toBeLessThan(1_000)
  })

  it('costs no statement on the warm path', async () => {
    const scans = async () => {
      const [row] = await writer.sql`
        select coalesce(sum(idx_scan + seq_scan), 0)::integer as scans from pg_stat_user_tables where relname in ('alias_heads', 'project_keys')`
      return (row as { scans: number }).scans
    }
    // Again and again, because Postgres counts what was asked earlier up to seconds later.
    await eventually(async () => {
      expect(reader.service.notifications.ageMs()).toBeLessThan(1_500)
      await seenBy(reader)
      const before = await scans()
      const ordinary = { headers: { [WAY_HEADER]: 'ordinary' } }
      for (let round = 0; round < 50; round++) await reader.call('/api/v1/aliases/resolve?alias=a', ordinary)
      await Promise.all(Array.from({ length: 12 }, () => reader.sql`select pg_stat_force_next_flush()`))
      expect(await scans()).toBe(before)
    })
  })

  it('is never older than five seconds, even where the listener’s connection is half-open', async () => {
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(1_500))
    await bind('before:freeze')
    await eventually(async () => expect(await seenBy(reader)).toBe('before:freeze'))
    proxy.freeze()
    await bind('after:freeze')
    await eventually(async () => expect(await seenBy(reader)).toBe('after:freeze'), 5_000)
    for (let round = 0; round < 3; round++) {
      await bind(`frozen:${round}`)
      await eventually(async () => expect(await seenBy(reader)).toBe(`frozen:${round}`), 5_000)
    }
    proxy.thaw()
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(2_000))
  })

  it('is confirmed anew at a message that it cannot read, which may have been about anything', async () => {
    await bind('before:message')
    await eventually(async () => expect(await seenBy(reader)).toBe('before:message'))
    await writer.sql`update aliases set models = array['unannounced:model'] where alias = 'a'`
    await writer.sql`update alias_heads set revision = revision + 1`
    await writer.sql`select pg_notify(${changesChannel('llmring')}, '{"kind":"of-a-newer-version"}')`
    await eventually(async () => expect(await seenBy(reader)).toBe('unannounced:model'))
  })

  it('comes back to trusting its listener after the connection was cut', async () => {
    proxy.cut()
    await bind('while:cut')
    await eventually(async () => expect(await seenBy(reader)).toBe('while:cut'), 5_000)
    proxy.restore()
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(2_000))
    await bind('after:cut')
    await eventually(async () => expect(await seenBy(reader)).toBe('after:cut'))
  })

  it('comes back after Postgres itself ended the session', async () => {
    await writer.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'llmring-server listener' and datname = current_database()`
    await bind('after:terminate')
    await eventually(async () => expect(await seenBy(reader)).toBe('after:terminate'), 5_000)
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(2_000))
  })

  it('follows a deletion, too', async () => {
    await bind('to:delete')
    await eventually(async () => expect(await seenBy(reader)).toBe('to:delete'))
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(1_500))
    await writer.call('/api/v1/aliases/a', { method: 'DELETE' })
    expect(await seenBy(writer)).toBe(null)
    await eventually(async () => expect(await seenBy(reader)).toBe(null))
  })
})

describe('a revoked key', () => {
  const create = async (): Promise<{ id: string; projectId: string; key: string }> => {
    const project = await writer.service.projects.verbs.create('p')
    return writer.service.projects.verbs.createKey({ projectId: project.id, name: null, role: 'write' })
  }
  const status = async (instance: RunningService, key: string) =>
    (await instance.call('/api/v1/aliases/', { key })).status

  /** Until the instance knows the key by heart: its creation is a message, too, and ends a load that is under way. */
  const remembered = (instance: RunningService, key: string) =>
    eventually(async () => {
      expect(await status(instance, key)).toBe(200)
      expect(instance.service.notifications.ageMs()).toBeLessThan(1_500)
      expect(instance.service.projects.recall(key, 'read')).toMatchObject({ role: 'write' })
    })

  it('is refused at once where it was revoked, and elsewhere within two seconds', async () => {
    const made = await create()
    expect(await status(reader, made.key)).toBe(200)
    expect(await status(writer, made.key)).toBe(200)
    await writer.service.projects.revokeKey(undefined, made.id)
    expect(await status(writer, made.key)).toBe(401)
    await eventually(async () => expect(await status(reader, made.key)).toBe(401), 2_000)
  })

  it('is refused within two seconds even where the listener’s connection is half-open', async () => {
    const made = await create()
    await remembered(reader, made.key)
    proxy.freeze()
    await writer.service.projects.revokeKey(undefined, made.id)
    await eventually(async () => expect(await status(reader, made.key)).toBe(401))
    proxy.thaw()
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(2_000))
  })

  it('is refused after its message was missed, once the listener is trusted again', async () => {
    const made = await create()
    await remembered(reader, made.key)
    proxy.cut()
    await writer.service.projects.revokeKey(undefined, made.id)
    proxy.restore()
    const lost = reader.service.notifications.ageMs()
    await eventually(() => expect(reader.service.notifications.ageMs()).toBeLessThan(Math.min(lost, 1_000)))
    expect(await status(reader, made.key)).toBe(401)
  })

  it('is asked for again after a message that this program cannot read: it may have been about any key', async () => {
    const made = await create()
    await remembered(reader, made.key)
    await writer.sql`select pg_notify('llmring_changes', '{"kind":"of a newer program"}')`
    await eventually(() => expect(reader.service.projects.recall(made.key, 'read')).toBeUndefined(), 1_500)
  })

  it('never becomes a new project, though the service is open', async () => {
    const made = await create()
    await writer.service.projects.revokeKey(undefined, made.id)
    const { status: refused } = await writer.call('/api/v1/aliases/bind', {
      key: made.key,
      json: { alias: 'a', model: 'x:y' },
    })
    expect(refused).toBe(401)
  })
})
