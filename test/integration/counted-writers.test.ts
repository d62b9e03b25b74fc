import { afterAll, beforeAll, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type AliasChange, type EventReader, readEvents } from '../support/event-reader.js'
import { eventually } from '../support/eventually.js'
import { type RunningService, startService } from '../support/service.js'

/** A longer run by hand: COUNTED_WRITERS_MS=10000. */
const RUN_MS = Number(process.env['COUNTED_WRITERS_MS'] ?? 1_500)
const WRITERS = 32
const ALIASES = 8
const KEY = 'counted'

let database: TestDatabase
let direct: Sql
let services: readonly RunningService[]

beforeAll(async () => {
  database = await cloneDatabase()
  direct = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
  const start = () => startService({ LLMRING_DATABASE_URL: database.url })
  services = [await start(), await start()]
})
afterAll(async () => {
  for (const service of services) await service.close()
  await direct.end({ timeout: 5 })
  await database.drop()
})

const serviceOf = (number: number) => services[number % services.length] as RunningService

/** Counts up an alias as often as it can: reads it, and binds the next number if nothing came between. */
async function countUp(writer: number, until: number): Promise<number> {
  const alias = `a${writer % ALIASES}`
  let counted = 0
  for (let turn = 0; performance.now() < until; turn++) {
    const service = serviceOf(writer + turn)
    const read = await service.call(`/api/v1/aliases/${alias}`, { key: KEY })
    const model = `x:${Number(read.json.model.slice(2)) + 1}`
    const headers = { 'If-Match': read.headers.get('etag') ?? '' }
    const { status } = await service.call('/api/v1/aliases/bind', { key: KEY, json: { alias, model }, headers })
    if (status === 200) counted += 1
    else expect(status).toBe(412)
  }
  return counted
}

/** What a follower of all events has in the end. */
function replicaOf({ events }: EventReader): Record<string, string | undefined> {
  const replica = new Map<string, AliasChange>()
  for (const { data } of events) for (const change of data.changes) replica.set(change.alias, change)
  return Object.fromEntries([...replica].map(([alias, { models }]) => [alias, models[0]]))
}

it('loses no update of 32 writers on two instances, takes no revision twice, and shows all of them to every watcher', async () => {
  const first = Array.from({ length: ALIASES }, (_, at) => ({ alias: `a${at}`, model: 'x:0' }))
  await serviceOf(0).call('/api/v1/aliases/bulk_upsert', { key: KEY, json: first })
  const url = (service: RunningService) => `${service.url}/api/v1/sync?profile=default`
  const readers = await Promise.all(services.map((service) => readEvents(url(service), { 'X-Project-Key': KEY })))

  const until = performance.now() + RUN_MS
  const counts = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => countUp(writer, until)))
  const counted = counts.reduce((sum, count) => sum + count, 0)
  expect(counted).toBeGreaterThan(ALIASES)

  const rows = await direct<
    { alias: string; model: string }[]
  >`select alias, models[1] as model from aliases order by alias`
  const table = Object.fromEntries(rows.map(({ alias, model }) => [alias, model]))
  expect(rows.reduce((sum, { model }) => sum + Number(model.slice(2)), 0)).toBe(counted)
  const revisions = await direct<
    { revision: number }[]
  >`select revision::integer from alias_revisions order by revision`
  expect(revisions.map(({ revision }) => revision)).toEqual(Array.from({ length: counted + 1 }, (_, at) => at + 1))
  for (const reader of readers) {
    await eventually(() => expect(replicaOf(reader)).toEqual(table))
    const seen = reader.events.map(({ data }) => data.revision)
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other))
    reader.close()
  }
})
