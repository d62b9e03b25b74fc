import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type Delta, type EventReader, readEvents } from '../support/event-reader.js'
import { eventually } from '../support/eventually.js'
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.js'
import { type RunningService, startService } from '../support/service.js'
import { startTcpProxy, type TcpProxy, throughProxy } from '../support/tcp-proxy.js'

const KEY = 'watched'
const STREAMS = 10
const POLLS = 5
const bind = async (service: RunningService, alias: string) =>
  (await service.call('/api/v1/aliases/bind', { key: KEY, json: { alias, model: 'x:1' } })).status
const sync = (service: RunningService, query: string) => service.call(`/api/v1/sync?${query}`, { key: KEY })

type Watching = {
  readonly streams: readonly EventReader[]
  readonly polls: readonly Promise<{ readonly status: number; readonly json: Delta }>[]
  /** All of them heard of an alias, on the connections that they had. */
  heard(alias: string): Promise<void>
  close(): void
}

async function watch(service: RunningService): Promise<Watching> {
  const { revision } = (await sync(service, '')).json
  const open = () => readEvents(`${service.url}/api/v1/sync?since=${revision}`, { 'X-Project-Key': KEY })
  const streams = await Promise.all(Array.from({ length: STREAMS }, open))
  const polls = Array.from({ length: POLLS }, () => sync(service, `since=${revision}&wait=60`))
  await eventually(async () =>
    expect((await service.call('/metrics')).text).toContain(`llmring_watchers ${STREAMS + POLLS}\n`),
  )
  // Until each has read once, it fails as any request does: what is asked after them is answered after them.
  for (let asked = 0; asked < 5; asked += 1) await sync(service, `since=${revision}`)
  return {
    streams,
    polls,
    heard: async (alias) => {
      const told = ({ changes }: Delta) => changes.map((change) => change.alias)
      for (const stream of streams) {
        await eventually(() => expect(stream.events.flatMap(({ data }) => told(data))).toContain(alias), 15_000)
        expect(stream.isOver()).toBe(false)
      }
      for (const { status, json } of await Promise.all(polls)) expect([status, told(json)]).toEqual([200, [alias]])
    },
    close: () => {
      for (const stream of streams) stream.close()
    },
  }
}

describe('those who follow changes', () => {
  let database: TestDatabase
  let proxy: TcpProxy
  let writer: RunningService
  let service: RunningService
  beforeAll(async () => {
    database = await cloneDatabase()
    const { hostname, port } = new URL(database.url)
    proxy = await startTcpProxy({ host: hostname, port: Number(port) })
    writer = await startService({ LLMRING_DATABASE_URL: database.url })
    service = await startService({ LLMRING_DATABASE_URL: throughProxy(database.url, proxy) })
    await bind(writer, 'first')
  })
  afterAll(async () => {
    await service.close()
    await writer.close()
    await proxy.close()
    await database.drop()
  })
  const trusted = () => eventually(() => expect(service.service.notifications.ageMs()).toBeLessThan(1_500))

  it('wait on while the database is away, and hear then of what was written meanwhile', async () => {
    await trusted()
    const watching = await watch(service)
    const { revision } = (await sync(service, '')).json
    proxy.cut()
    expect(await bind(writer, 'while-away')).toBe(200)
    // From above what this instance knows, and from what it could answer: it says that it cannot tell.
    for (const query of [
      `since=${revision + 1}`,
      `since=${revision + 9}`,
      'epoch=01234567',
      `since=${revision}&wait=5`,
    ]) {
      const { status, headers, json } = await sync(service, query)
      expect([query, status, json.code, headers.has('retry-after')]).toEqual([query, 503, 'database-unavailable', true])
    }
    const refused = await readEvents(`${service.url}/api/v1/sync`, { 'X-Project-Key': KEY })
    expect(refused.status).toBe(503)
    expect(watching.streams.filter((stream) => stream.isOver())).toEqual([])
    proxy.restore()
    await watching.heard('while-away')
    const after = (await sync(service, `since=${revision + 1}`)).json
    expect(after).toMatchObject({ reset: false, revision: revision + 1, changes: [] })
    watching.close()
  })

  it('hear of a change while the connection that listens is half-open', async () => {
    const listening = await startService({
      LLMRING_DATABASE_URL: database.url,
      LLMRING_DATABASE_DIRECT_URL: throughProxy(database.url, proxy),
      ...{ LLMRING_DATABASE_POOL_SIZE: '4' },
    })
    const watching = await watch(listening)
    proxy.freeze()
    await bind(writer, 'while-deaf')
    await watching.heard('while-deaf')
    watching.close()
    proxy.thaw()
    await listening.close()
  })

  it('are told to forget what they know where revisions began anew', async () => {
    await trusted()
    const watching = await watch(service)
    const before = (await sync(service, '')).json as Delta
    const [{ project_id: project }] = (await service.call('/api/v1/aliases/?limit=1', { key: KEY })).json
    const aliases = writer.service.features.find(({ name }) => name === 'aliases')
    while (((await aliases?.erase?.(project, 1_000)) ?? 0) > 0);
    await bind(writer, 'of-another-epoch')
    await watching.heard('of-another-epoch')
    for (const { events } of watching.streams) {
      expect(events.at(-1)?.data).toMatchObject({ reset: true, revision: 1 })
      expect(events.at(-1)?.data.epoch).not.toBe(before.epoch)
    }
    const id = `${before.epoch.slice(0, 8)}-1`
    const resumed = await readEvents(`${service.url}/api/v1/sync`, { 'X-Project-Key': KEY, 'Last-Event-ID': id })
    const [first] = await resumed.received(1)
    expect(first?.data).toMatchObject({ reset: true, changes: [{ alias: 'of-another-epoch' }] })
    resumed.close()
    watching.close()
  })
})

describe('a restart of PostgreSQL under those who follow changes', () => {
  let server: PostgresServer
  let services: readonly RunningService[]
  beforeAll(async () => {
    server = await startPostgresServer()
    await server.ask('postgres', (sql) => sql.unsafe('create database watched'))
    const environment = { LLMRING_DATABASE_URL: server.url('watched'), LLMRING_DATABASE_TIMEOUT_MS: '2000' }
    services = [await startService(environment), await startService(environment)]
    await bind(services[0] as RunningService, 'first')
  })
  afterAll(async () => {
    for (const service of services) await service.close()
    await server.close()
  })

  it.each(['SIGINT', 'SIGKILL'] as const)('by %s ends no stream, and nothing is lost', async (signal) => {
    const [writer, service] = services as [RunningService, RunningService]
    const watching = await watch(service)
    await server.restart(signal)
    await eventually(async () => expect(await bind(writer, `after-${signal}`)).toBe(200), 20_000)
    await watching.heard(`after-${signal}`)
    watching.close()
  })
})
