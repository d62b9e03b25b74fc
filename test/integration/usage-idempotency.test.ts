import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { EVENT, NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'
import { holdTransaction } from '../support/held-transaction.js'

let database: TestDatabase
let app: UsageApp
/** Another instance on the same database. */
let other: UsageApp

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
  other = await openUsage({ url: database.url })
})
afterAll(async () => {
  await app.close()
  await other.close()
  await database.drop()
})

type Project = ReturnType<typeof newProject>
const withKey = (key: string) => ({ 'Idempotency-Key': key })
const rowsOf = async (project: Project) => app.database.sql`select id from usage_logs where project_id = ${project}`
const post = (project: Project, json: unknown, headers: Record<string, string> = {}, instance = app) =>
  instance.call('/api/v1/log', { project, json, headers })
const batch = (project: Project, json: unknown, headers: Record<string, string> = {}, instance = app) =>
  instance.call('/api/v1/log/batch', { project, json, headers })
const ndjson = (project: Project, body: string, headers: Record<string, string> = {}) =>
  app.call('/api/v1/log/batch', { project, body, headers: { 'Content-Type': 'application/x-ndjson', ...headers } })

describe('an event with an idempotency key', () => {
  it('is recorded once, and answered a second time with the text of the first answer, by any instance', async () => {
    const project = newProject()
    const first = await post(project, EVENT, withKey('k1'))
    expect(first.status).toBe(200)
    app.now += 60_000
    const again = await Promise.all([post(project, EVENT, withKey('k1')), post(project, EVENT, withKey('k1'), other)])
    app.now = NOON
    expect(again.map(({ status, text }) => [status, text])).toEqual(Array(2).fill([200, first.text]))
    expect(await rowsOf(project)).toHaveLength(1)
  })

  it('may carry the key in its body: the same key, however the JSON is written', async () => {
    const project = newProject()
    const first = await post(project, { ...EVENT, alias: null, idempotency_key: 'ключ 1' })
    const { provider, ...rest } = EVENT
    const again = await post(project, { idempotency_key: 'ключ 1', ...rest, provider, input_tokens: '1200' })
    expect(again.text).toBe(first.text)
    expect(await rowsOf(project)).toHaveLength(1)
  })

  it('means the same in the header and in the body, and is refused in both at once', async () => {
    const project = newProject()
    const first = await post(project, EVENT, withKey('k'))
    expect((await post(project, { ...EVENT, idempotency_key: 'k' })).text).toBe(first.text)
    const { status, json } = await post(project, { ...EVENT, idempotency_key: 'k' }, withKey('k'))
    expect([status, json.code, json.errors[0].pointer]).toEqual([422, 'validation-failed', '/idempotency_key'])
  })

  it.each<[string, Record<string, unknown>]>([
    ['other counts', { input_tokens: 1201 }],
    ['another origin', { origin: 'x' }],
    ['another cost', { cost: 1 }],
    ['other metadata', { metadata: { a: 2 } }],
    ['another time', { timestamp: '2026-03-15T11:00:00Z' }],
    ['a latency', { latency_ms: 5 }],
    ['tokens that were counted in another way', { input_tokens_include_cache: false }],
  ])('and %s than before is 422, and nothing is written', async (_, changes) => {
    const project = newProject()
    await post(project, EVENT, withKey('k'))
    const { status, json } = await post(project, { ...EVENT, ...changes }, withKey('k'))
    expect([status, json.code]).toEqual([422, 'idempotency-key-reused'])
    expect(await rowsOf(project)).toHaveLength(1)
  })

  it('is its own in each project', async () => {
    const [one, two] = [newProject(), newProject()]
    const answers = await Promise.all([post(one, EVENT, withKey('k')), post(two, EVENT, withKey('k'))])
    expect(new Set(answers.map(({ json }) => json.log_id)).size).toBe(2)
  })

  it('that was refused leaves its key free', async () => {
    const project = newProject()
    expect((await post(project, { ...EVENT, input_tokens: -1 }, withKey('k'))).status).toBe(422)
    expect((await post(project, EVENT, withKey('k'))).status).toBe(200)
  })

  it('that another instance is just writing waits for it, and is answered as that one', async () => {
    const project = newProject()
    const letGo = await holdTransaction(app.database.sql, (tx) => tx`lock table usage_logs in exclusive mode`)
    const first = post(project, EVENT, withKey('k'))
    await eventually(async () => {
      expect(
        await other.database.sql`select 1 from pg_locks where not granted and relation = 'usage_logs'::regclass`,
      ).toHaveLength(1)
    })
    const second = post(project, EVENT, withKey('k'), other)
    await eventually(async () => {
      const waiting = await app.database.sql`
        select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
      expect(waiting).toHaveLength(2)
    })
    await letGo()
    expect((await second).text).toBe((await first).text)
    expect(await rowsOf(project)).toHaveLength(1)
  })

  it.each(['', 'two words', 'ü', 'x'.repeat(256)])('%j in the header is refused with 400', async (key) => {
    const { status, json } = await post(newProject(), EVENT, withKey(key))
    expect([status, json.code]).toEqual([400, 'malformed-request'])
  })

  it('is kept for so many days, then forgotten', async () => {
    const project = newProject()
    const { marks } = (await import('../../src/features/usage/store.js')).createUsageStore(app.database)
    const { forgetMarks } = await import('../../src/features/usage/record/forget-marks.js')
    const forget = (days: number, rowsMax = 2) =>
      forgetMarks({ clock: () => NOON + days * 86_400_000 + 1, purge: marks.purge, days: 32, rowsMax })
    for (const key of ['a', 'b', 'c']) await post(project, EVENT, withKey(key))
    const kept = async () => app.database.sql`select key from usage_marks where project_id = ${project}`
    await forget(31)
    expect(await kept()).toHaveLength(3)
    expect(await forget(32)).toBeGreaterThanOrEqual(3)
    expect(await kept()).toHaveLength(0)
    expect((await post(project, EVENT, withKey('a'))).status).toBe(200)
    expect(await rowsOf(project)).toHaveLength(4)
  })
})

describe('a timestamp', () => {
  const loggedAt = async (project: Project) => {
    const [row] = await app.database
      .sql`select logged_at, tableoid::regclass::text as place from usage_logs where project_id = ${project}`
    return [row?.['logged_at'].toISOString(), row?.['place']]
  }

  it.each([
    ['2026-03-15T11:59:59.999Z', '2026-03-15T11:59:59.999Z', 'usage_logs_2026_03'],
    ['2026-03-15T12:05:00Z', '2026-03-15T12:05:00.000Z', 'usage_logs_2026_03'],
    ['2025-02-28T23:59:59-01:00', '2025-03-01T00:59:59.000Z', 'usage_logs_2025_03'],
    ['2024-02-29 00:00:00', '2024-02-29T00:00:00.000Z', 'usage_logs_2024_02'],
  ])('%s is when the event happened, and decides its partition, which is made', async (timestamp, instant, place) => {
    const project = newProject()
    const { json } = await post(project, { ...EVENT, timestamp })
    expect(json.timestamp).toBe(instant)
    expect(await loggedAt(project)).toEqual([instant, place])
  })

  it.each(['2026-03-15T12:05:00.001Z', '2023-03-11T11:59:59Z', '2026-03-15', '2026-02-30T00:00:00Z', 'now', '1'])(
    '%s is refused with 422',
    async (timestamp) => {
      const { status, json } = await post(newProject(), { ...EVENT, timestamp })
      expect([status, json.code, json.errors[0].pointer]).toEqual([422, 'validation-failed', '/timestamp'])
    },
  )
})

describe('a batch', () => {
  it('answers each event on its own, in order: one that is refused does not concern the others', async () => {
    const project = newProject()
    const { status, json } = await batch(project, [
      EVENT,
      { ...EVENT, input_tokens: -1 },
      { ...EVENT, model: 'nobody', timestamp: '2026-03-01T00:00:00Z' },
      { ...EVENT, timestamp: '2026-03-15T12:06:00Z' },
      'text',
      { ...EVENT, alias: '\u0000' },
    ])
    expect(status).toBe(200)
    expect([json.recorded, json.replayed, json.refused]).toEqual([2, 0, 4])
    expect(json.results).toMatchObject([
      { status: 200, cost_decimal: '0.000384000000', timestamp: '2026-03-15T12:00:00.000Z' },
      { status: 422, code: 'validation-failed', errors: [{ pointer: '/input_tokens' }] },
      { status: 200, cost_status: 'unknown_model', timestamp: '2026-03-01T00:00:00.000Z' },
      { status: 422, code: 'validation-failed', errors: [{ pointer: '/timestamp' }] },
      { status: 422, code: 'validation-failed' },
      { status: 422, code: 'validation-failed', errors: [{ pointer: '/alias' }] },
    ])
    const answered = json.results.flatMap((result: { log_id?: string }) => result.log_id ?? [])
    expect((await rowsOf(project)).map(({ id }) => id).sort()).toEqual(answered.sort())
  })

  it('may hold 5,000 events, and not one more', async () => {
    const project = newProject()
    const events = Array.from({ length: 5_000 }, (_, input_tokens) => ({ ...EVENT, input_tokens }))
    const { json } = await batch(project, events)
    expect([json.recorded, json.results.length]).toEqual([5_000, 5_000])
    const [row] = await app.database.sql`
      select count(distinct id)::int as rows, sum(input_tokens)::int as tokens from usage_logs where project_id = ${project}`
    expect(row).toEqual({ rows: 5_000, tokens: (5_000 * 4_999) / 2 })
    const more = await batch(project, [...events, EVENT])
    expect([more.status, more.json.code]).toEqual([422, 'validation-failed'])
    expect(await batch(project, [])).toMatchObject({ status: 200, json: { recorded: 0, results: [] } })
  })

  it('may be one event a line; a line that is cut off is refused alone, and the answer says which', async () => {
    const project = newProject()
    const line = JSON.stringify(EVENT)
    const { json } = await ndjson(project, `${line}\n${line.slice(0, 20)}\n${line}\r\n${line.slice(0, -3)}`)
    expect(json.results.map(({ status, code }: Record<string, unknown>) => [status, code])).toEqual([
      ...[
        [200, undefined],
        [400, 'malformed-json'],
      ],
      ...[
        [200, undefined],
        [400, 'malformed-json'],
      ],
    ])
    expect(await rowsOf(project)).toHaveLength(2)
  })

  it.each(['[{"provider":"x"},', '[1,2', '{}', '"text"', '17', ''])('that is %j is refused whole', async (body) => {
    const project = newProject()
    const { status } = await app.call('/api/v1/log/batch', { project, body })
    expect([400, 422]).toContain(status)
    expect(await rowsOf(project)).toHaveLength(0)
  })

  it('with a key in the header is recorded once, and answered with the same results', async () => {
    const project = newProject()
    const events = [EVENT, { ...EVENT, input_tokens: -1 }, { ...EVENT, model: 'nobody' }]
    const first = await batch(project, events, withKey('b1'))
    const again = await batch(project, events, withKey('b1'), other)
    expect([again.json.recorded, again.json.replayed, again.json.refused]).toEqual([0, 2, 1])
    expect(again.json.results).toEqual(first.json.results)
    expect(await rowsOf(project)).toHaveLength(2)
  })

  it('with the key of another batch, or of an event, is 422 as a whole', async () => {
    const project = newProject()
    await batch(project, [EVENT], withKey('b1'))
    await post(project, EVENT, withKey('e1'))
    const refused = [
      await batch(project, [EVENT, EVENT], withKey('b1')),
      await batch(project, [{ ...EVENT, output_tokens: 1 }], withKey('b1')),
      await batch(project, [EVENT], withKey('e1')),
      await post(project, EVENT, withKey('b1')),
    ]
    expect(refused.map(({ json }) => json.code)).toEqual(Array(4).fill('idempotency-key-reused'))
    expect(await rowsOf(project)).toHaveLength(2)
  })

  it('with a key in the header and keys of events is 422', async () => {
    const { status, json } = await batch(newProject(), [EVENT, { ...EVENT, idempotency_key: 'a' }], withKey('b'))
    expect([status, json.code]).toEqual([422, 'validation-failed'])
  })

  it('may repeat an event, by its key, of itself and of what came before; another one with the key is refused alone', async () => {
    const project = newProject()
    const before = await post(project, { ...EVENT, idempotency_key: 'a' })
    const keyed = (idempotency_key: string, changes = {}) => ({ ...EVENT, ...changes, idempotency_key })
    const { json } = await batch(project, [
      ...[keyed('a'), keyed('b'), keyed('b'), keyed('b', { alias: 'x' }), EVENT],
      ...[keyed('c', { input_tokens: -1 })],
    ])
    expect([json.recorded, json.replayed, json.refused]).toEqual([2, 2, 2])
    expect(json.results[0]).toEqual({ status: 200, ...before.json })
    expect(json.results[2]).toEqual(json.results[1])
    expect(json.results[3]).toMatchObject({ status: 422, code: 'idempotency-key-reused' })
    expect(await rowsOf(project)).toHaveLength(3)
  })

  it('of which an interruption left a part is completed when it is sent again', async () => {
    const project = newProject()
    const events = Array.from({ length: 5 }, (_, at) => ({ ...EVENT, input_tokens: at }))
    const first = await batch(project, events, withKey('b'))
    // As if the third event's group had never been written.
    const gone = first.json.results[2].log_id
    await app.database.sql`delete from usage_logs where project_id = ${project} and id = ${gone}`
    await app.database.sql`delete from usage_marks where project_id = ${project} and log_id = ${gone}`
    const again = await batch(project, events, withKey('b'))
    expect([again.json.recorded, again.json.replayed]).toEqual([1, 4])
    expect(await rowsOf(project)).toHaveLength(5)
  })

  it('judges its times by when it came first: what was in the future then is refused again', async () => {
    const project = newProject()
    const events = [EVENT, { ...EVENT, timestamp: '2026-03-15T12:06:00Z' }]
    const first = await batch(project, events, withKey('b'))
    app.now += 3_600_000
    const again = await batch(project, events, withKey('b'))
    app.now = NOON
    expect(again.json.results).toEqual(first.json.results)
    expect(first.json.results[1].status).toBe(422)
  })

  it('comes from a key that may only read: 403', async () => {
    expect((await app.call('/api/v1/log/batch', { json: [EVENT], role: 'read' })).status).toBe(403)
  })
})
