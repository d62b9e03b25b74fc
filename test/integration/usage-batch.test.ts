import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { holdTransaction } from '../support/held-transaction.js'
import { faultsInRollups } from '../support/kept-writes.js'
import { type RunningService, startService } from '../support/service.js'

/** A longer run by hand: USAGE_WRITERS_EVENTS=200000. */
const EVENTS = Number(process.env['USAGE_WRITERS_EVENTS'] ?? 2_400)
const WRITERS = 64
const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 340 }

let database: TestDatabase
/** Goes past the services: the test's own eyes. */
let direct: Sql
let services: readonly RunningService[]

beforeAll(async () => {
  database = await cloneDatabase()
  direct = createClient({ url: database.url, schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false })
  const start = () => startService({ LLMRING_DATABASE_URL: database.url })
  services = [await start(), await start()]
})
afterAll(async () => {
  for (const service of services) await service.close()
  await direct.end({ timeout: 5 })
  await database.drop()
})

const serviceOf = (number: number) => services[number % services.length] as RunningService

describe('a batch that is compressed', () => {
  const lines = (count: number) => `${JSON.stringify(EVENT)}\n`.repeat(count)
  const send = (bytes: Uint8Array<ArrayBuffer>, key: string, type = 'application/x-ndjson') =>
    serviceOf(0).call('/api/v1/log/batch', {
      ...{ method: 'POST', key, body: bytes },
      headers: { 'Content-Type': type, 'Content-Encoding': 'gzip' },
    })
  const recorded = async (key: string) =>
    (await serviceOf(0).call('/api/v1/stats', { key })).json.summary.total_requests as number

  it('is recorded, as lines and as an array', async () => {
    expect((await send(gzipSync(lines(30)), 'whole')).json).toMatchObject({ recorded: 30, refused: 0 })
    const array = gzipSync(JSON.stringify(Array(20).fill(EVENT)))
    expect((await send(array, 'whole', 'application/json')).json).toMatchObject({ recorded: 20, refused: 0 })
    expect(await recorded('whole')).toBe(50)
  })

  it('and cut short, or damaged, is refused whole, and nothing of it is recorded', async () => {
    const whole = gzipSync(lines(2_000))
    const damaged = Uint8Array.from(whole)
    damaged.set([damaged[60] === 0 ? 1 : 0], 60)
    for (const bytes of [whole.subarray(0, whole.length - 9), whole.subarray(0, 40), damaged]) {
      const { status, json } = await send(Uint8Array.from(bytes), 'cut')
      expect([status, json.code]).toEqual([400, 'malformed-request'])
    }
    await send(gzipSync(lines(1)), 'cut')
    expect(await recorded('cut')).toBe(1)
  })

  it('and unfolds to more than a body may have is refused, however small it came', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
    expect(bomb.length).toBeLessThan(100_000)
    const { status, json } = await send(Uint8Array.from(bomb), 'bomb')
    expect([status, json.code]).toEqual([413, 'body-too-large'])
  })
})

describe('the largest batch', () => {
  const declared = async (service: RunningService) =>
    (await service.call('/openapi.json')).json.paths['/api/v1/log/batch'].post['x-body-bytes-max'] as number

  it('is what the service takes as a body, and no more than the queue has room for', async () => {
    const generous = await startService({
      LLMRING_DATABASE_URL: database.url,
      LLMRING_BODY_BYTES_MAX: '33554432',
    })
    try {
      expect(await Promise.all([declared(serviceOf(0)), declared(generous)])).toEqual([4_194_304, 16_777_216])
      const event = (number: number) => ({
        ...{ ...EVENT, idempotency_key: `large-${number}` },
        metadata: { text: 'x'.repeat(32_500) },
      })
      const json = Array.from({ length: 500 }, (_, number) => event(number))
      expect(JSON.stringify(json).length).toBeGreaterThan(16_000_000)
      const taken = await generous.call('/api/v1/log/batch', { key: 'large', json })
      expect([taken.status, taken.json.recorded]).toEqual([200, 500])
      const refused = await generous.call('/api/v1/log/batch', { key: 'large', json: [...json, 'x'.repeat(800_000)] })
      expect([refused.status, refused.json.detail]).toEqual([413, 'The body is larger than 16777216 bytes.'])
    } finally {
      await generous.close()
    }
  })
})

describe('a full queue', () => {
  it('refuses a batch with 503 and says when to come again, and the others are recorded whole', async () => {
    const json = Array(5_000).fill(EVENT)
    const send = () => serviceOf(0).call('/api/v1/log/batch', { key: 'crowd', json })
    await serviceOf(0).call('/api/v1/log', { key: 'crowd', json: EVENT })
    const letGo = await holdTransaction(direct, (tx) => tx`lock table usage_logs in exclusive mode`)
    const answers = [send(), send(), send(), send()]
    const first = await Promise.race(answers)
    expect([first.status, first.json.code, first.headers.get('retry-after')]).toEqual([503, 'overloaded', '1'])
    await letGo()
    const recorded = (await Promise.all(answers)).map(({ status, json: result }) =>
      status === 200 ? result.recorded : 0,
    )
    // A batch is taken whole or not at all.
    expect(new Set(recorded)).toEqual(new Set([5_000, 0]))
    const [row] = await direct`select count(*)::int as rows from usage_logs where project_id = (
      select project_id from usage_logs group by 1 order by count(*) desc limit 1)`
    expect(row?.['rows']).toBe(1 + recorded.reduce((sum, count) => sum + count, 0))
  })
})

describe('64 writers on two instances, who repeat every twentieth event', () => {
  const keyed = (number: number) => ({
    ...EVENT,
    ...{ model: `m${number % 5}`, alias: `a${number % 4}`, cost: (number % 1000) / 1e6, input_tokens: number },
    idempotency_key: `event-${number}`,
  })
  const deadlocks = async () => {
    const [row] = await direct`select deadlocks::int from pg_stat_database where datname = current_database()`
    return row?.['deadlocks'] as number
  }

  /** The ids that were answered for these events: by one instance, and if it is their turn again by both. */
  async function send(writer: number, numbers: readonly number[]): Promise<string[][]> {
    const isBatch = writer % 4 === 0
    // The other instance gets the same events in the other order.
    const turned = <T>(list: readonly T[], turn: number) => (turn === 0 ? [...list] : list.toReversed())
    const ask = async (turn: number): Promise<string[]> => {
      const [path, json] = isBatch ? ['/batch', turned(numbers, turn).map(keyed)] : ['', keyed(numbers[0] as number)]
      const { status, json: answer } = await serviceOf(writer + turn).call(`/api/v1/log${path}`, { key: 'hot', json })
      expect(status).toBe(200)
      return isBatch
        ? turned(answer.results as { log_id: string }[], turn).map(({ log_id: id }) => id)
        : [answer.log_id]
    }
    return Promise.all((numbers[0] as number) % 20 < 4 && writer % 5 === 0 ? [ask(0), ask(1), ask(0)] : [ask(0)])
  }

  /** Sends its share, singly or in batches. */
  async function write(writer: number, ids: Map<number, Set<string>>): Promise<void> {
    const mine = Array.from({ length: EVENTS / WRITERS }, (_, at) => writer + at * WRITERS)
    const step = writer % 4 === 0 ? 12 : 1
    for (let at = 0; at < mine.length; at += step) {
      const numbers = mine.slice(at, at + step)
      for (const answered of await send(writer, numbers)) {
        for (const [place, id] of answered.entries()) {
          const number = numbers[place] as number
          ids.set(number, (ids.get(number) ?? new Set()).add(id))
        }
      }
    }
  }

  it('lose nothing, record nothing twice and never deadlock', async () => {
    const before = await deadlocks()
    const ids = new Map<number, Set<string>>()
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer, ids)))
    const count = Math.floor(EVENTS / WRITERS) * WRITERS
    expect(ids.size).toBe(count)
    const rows = await direct<{ id: string; number: number }[]>`
      select id, input_tokens::int as number from usage_logs where model like 'm_'`
    expect(rows).toHaveLength(count)
    for (const { id, number } of rows) expect([number, [...(ids.get(number) ?? [])]]).toEqual([number, [id]])
    expect(await faultsInRollups(direct)).toEqual([])
    expect(await deadlocks()).toBe(before)
  })

  it('take keys in one order, whatever the order of the events: batches that cross wait for each other', async () => {
    const before = await deadlocks()
    const events = Array.from({ length: 21 }, (_, at) => ({ ...EVENT, idempotency_key: `cross-${100 + at}` }))
    const send = (turn: number, json: unknown) => serviceOf(turn).call('/api/v1/log/batch', { key: 'cross', json })
    const first = await send(0, [EVENT])
    const [{ project_id: project } = {}] = await direct`
      select project_id from usage_logs where id = ${first.json.results[0].log_id}`
    // The key in the middle is taken: each batch has taken its first half when both wait.
    const letGo = await holdTransaction(
      direct,
      (tx) => tx`
        insert into usage_marks (project_id, key, item, sha256, marked_at)
        values (${project}, 'cross-110', 0, '\\x00', now())`,
    )
    const waiting = (count: number) =>
      eventually(async () => {
        const locks = await direct`select 1 from pg_locks where not granted and locktype = 'transactionid'`
        expect(locks).toHaveLength(count)
      })
    const sent = [send(0, events)]
    await waiting(1)
    sent.push(send(1, events.toReversed()))
    await waiting(2)
    await letGo()
    const [one, other] = await Promise.all(sent)
    expect([one?.status, other?.status]).toEqual([200, 200])
    expect(one?.json.recorded + other?.json.recorded).toBe(20)
    expect(await deadlocks()).toBe(before)
  })
})
