import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOTHING_FOUND } from '../../src/features/repricing/tally.js'
import { openRollups } from '../../src/features/usage/feature.js'
import { checkRollups } from '../../src/features/usage/rollups/check-rollups.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { holdTransaction } from '../support/held-transaction.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

type Row = {
  readonly [member in
    | 'id'
    | 'logged_at'
    | 'cost_decimal'
    | 'model'
    | 'provider'
    | 'cost_status'
    | 'id_at_origin']: string
} & {
  readonly previous_cost: string | null
  readonly registry_provider_version: string | null
  readonly earlier_prices: readonly { readonly registry_provider_version: string }[] | null
}
const BASE = '/api/v1/reprice'
const NOTHING = JSON.stringify(NOTHING_FOUND)
const DAY_MS = 86_400_000
const INPUT = 'dollars_per_million_tokens_input'
const OUTPUT = 'dollars_per_million_tokens_output'
/** When the versions 1, 2 and 3 of this provider were made. */
const MADE = [20, 10, 5].map((days) => new Date(Date.now() - days * DAY_MS))
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()

let database: TestDatabase
let origin: RegistryOrigin
let one: RunningService
let two: RunningService

const fileOf = (version: number, models: object) =>
  JSON.stringify({ provider: 'google', version, updated_at: MADE[version - 1]?.toISOString(), models })
const priced = (input: number, output = 0) => ({ [INPUT]: input, [OUTPUT]: output })
const VERSIONS = [
  { 'google:a': priced(1, 2) },
  { 'google:a': priced(3, 4), 'google:b': priced(10) },
  { 'google:a': priced(5, 6), 'google:b': priced(10), 'google:c': {} },
]

beforeAll(async () => {
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  for (const [at, models] of VERSIONS.entries()) origin.put(`google/v/${at + 1}/models.json`, fileOf(at + 1, models))
  origin.put('google/models.json', fileOf(3, VERSIONS[2] as object))
  database = await cloneDatabase()
  const settings = { LLMRING_DATABASE_URL: database.url, LLMRING_REGISTRY_BASE_URL: origin.url }
  ;[one, two] = await Promise.all([startService(settings), startService(settings)])
  // The first two versions come into the history by being asked for.
  for (const version of [1, 2]) await one.call(`/registry/google/v/${version}/models.json`)
  await eventually(async () => {
    const rows = await one.sql`select distinct provider_version from registry_files where provider = 'google'`
    expect(rows).toHaveLength(3)
  })
})
afterAll(async () => {
  await Promise.all([one.close(), two.close()])
  await Promise.all([origin.close(), database.drop()])
})

async function newProject() {
  const operator = (path: string, json: object) =>
    one.call(`/api/v1/admin/projects${path}`, { key: OPERATOR_KEY, json })
  const { id } = (await operator('', { name: 'p' })).json
  const { key } = (await operator(`/${id}/keys`, { role: 'admin' })).json
  const event = (changes: object) => ({
    provider: 'google',
    model: 'a',
    input_tokens: 1_000,
    output_tokens: 100,
    ...changes,
  })
  const batch = async (events: readonly object[], service = one) => {
    const { json } = await service.call('/api/v1/log/batch', { key, json: events.map(event) })
    expect(json.refused).toBe(0)
    return json.results.map((result: { log_id: string }) => result.log_id) as string[]
  }
  const start = (changes: object = {}) =>
    one.call(BASE, { key, json: { start: daysAgo(60), end: daysAgo(0), dry_run: false, ...changes } })
  const show = async (job: string, service = one) => (await service.call(`${BASE}/${job}`, { key })).json
  const finished = async (job: string) => {
    await eventually(async () => expect((await show(job)).finished_at).not.toBeNull())
    return show(job)
  }
  const reprice = async (changes: object = {}) => {
    const { status, json, text } = await start(changes)
    if (status !== 202) throw new Error(text)
    return finished(json.id)
  }
  const logs = async () => (await one.call('/api/v1/logs?limit=500', { key })).json as Row[]
  return { id, key, batch, start, show, finished, reprice, logs }
}

async function expectExact() {
  const rollups = openRollups(one.sql)
  const found = []
  for await (const day of checkRollups({ ...rollups, settle: rollups.compare })) found.push(day)
  expect(found).toEqual([])
}

describe('repricing', () => {
  it('gives each event the price that was in force at its time, and shows what it cost before', async () => {
    const { batch, reprice, logs, key } = await newProject()
    await batch([15, 7, 1, 30].map((days) => ({ timestamp: daysAgo(days), id_at_origin: String(days) })))
    // Late events were priced with what was current when they came: 1,000 x 5/M + 100 x 6/M.
    const job = await reprice()
    expect(job).toMatchObject({
      ...{ status: 'done', dry_run: false, progress: 1, events: 4, changed: 3, skipped: 0 },
      ...{ cost_before: '0.022400000000', cost_after: '0.011400000000' },
      by_model: { a: { events: 4, changed: 3, cost_before: '0.022400000000', cost_after: '0.011400000000' } },
    })
    const rows = Object.fromEntries((await logs()).map((row) => [row['id_at_origin'], row]))
    const shown = (days: string) => {
      const row = rows[days]
      return [row?.cost_decimal, row?.previous_cost, row?.registry_provider_version]
    }
    expect(shown('15')).toEqual(['0.001200000000', '0.005600000000', 'google@1'])
    expect(shown('7')).toEqual(['0.003400000000', '0.005600000000', 'google@2'])
    expect(shown('1')).toEqual(['0.005600000000', null, 'google@3'])
    // Before everything that is known: the first price that was published.
    expect(shown('30')).toEqual(['0.001200000000', '0.005600000000', 'google@1'])
    expect(rows['15']?.earlier_prices).toEqual([
      expect.objectContaining({ cost: '0.005600000000', job_id: job.id, registry_provider_version: 'google@3' }),
    ])
    const stats = await one.call('/api/v1/stats?start_date=2020-01-01', { key })
    expect(stats.json.summary.total_cost).toBe('0.011400000000')
    const csv = (await one.call('/api/v1/export?format=csv', { key })).text.split('\r\n')
    expect(csv[0]).toContain('previous_cost,repriced_cost,earlier_prices,cursor')
    expect(csv[1]).toContain('0.005600000000')
    await expectExact()
    expect((await reprice()).changed).toBe(0)
  })

  it('does the same with named versions, and leaves other providers alone', async () => {
    const { batch, reprice, logs } = await newProject()
    await batch([{}, { provider: 'openai', model: 'gpt-4o-mini' }, { model: 'b' }, { cost: 2 }])
    const job = await reprice({ registry_version: 'google@1' })
    expect(job).toMatchObject({ events: 4, changed: 3, skipped: 1, registry_version: 'google@1' })
    const rows = await logs()
    const by = (test: (row: Row) => boolean) => rows.find(test)
    expect(by(({ model }) => model === 'b')).toMatchObject({
      cost_status: 'unknown_model',
      previous_cost: '0.010000000000',
    })
    expect(by(({ provider }) => provider === 'openai')).toMatchObject({ previous_cost: null, earlier_prices: null })
    // What a client reported stays the cost; the computed one beside it changes.
    expect(by(({ cost_status }) => cost_status === 'reported')).toMatchObject({
      ...{ cost: 2, reported_cost: '2.000000000000', computed_cost: '0.001200000000', previous_cost: '2.000000000000' },
    })
    await expectExact()
    expect((await reprice()).status).toBe('done')
    expect((await logs()).find(({ model }) => model === 'b')).toMatchObject({ cost_decimal: '0.010000000000' })
    await expectExact()
  })

  it('answers a dry run with the differences, and writes nothing', async () => {
    const { batch, reprice, logs, id } = await newProject()
    const models = ['a', 'b', 'c', 'nobody', '__proto__']
    await batch(models.flatMap((model) => [{ model }, { model, timestamp: daysAgo(15) }, { model, alias: 'x' }]))
    const state = () => one.sql`select cost::text, xmin::text from usage_logs where project_id = ${id} order by id`
    const before = await state()
    const dry = await reprice({ dry_run: true })
    expect([...(await state())]).toEqual([...before])
    const real = await reprice()
    for (const member of ['events', 'changed', 'cost_before', 'cost_after', 'by_model', 'certified', 'skipped']) {
      expect([member, dry[member]]).toEqual([member, real[member]])
    }
    expect(dry).toMatchObject({ events: 15, changed: 1, by_model: { a: { events: 3, changed: 1 } } })
    expect(Object.keys(dry.by_model).sort()).toEqual([...models].sort())
    const costs = (await logs()).map(({ cost_decimal }) => BigInt(cost_decimal.replace('.', '')))
    expect(costs.reduce((sum, cost) => sum + cost, 0n)).toBe(BigInt(real.cost_after.replace('.', '')))
    await expectExact()
  })

  it('never changes a cost that a receipt certifies: the new one stands beside it', async () => {
    const { batch, reprice, logs, key } = await newProject()
    const [certified = '', free = ''] = await batch([{ timestamp: daysAgo(15) }, { timestamp: daysAgo(15) }])
    const made = await one.call('/api/v1/receipts/generate', { key, json: { log_ids: [certified] } })
    expect(made.status).toBe(200)
    const job = await reprice()
    expect(job).toMatchObject({
      ...{ events: 2, changed: 1, cost_before: '0.011200000000', cost_after: '0.006800000000' },
      certified: { events: 1, cost: '0.005600000000', repriced_cost: '0.001200000000' },
    })
    const rows = Object.fromEntries((await logs()).map((row) => [row['id'], row]))
    expect(rows[certified]).toMatchObject({
      ...{ cost_decimal: '0.005600000000', previous_cost: null, repriced_cost: '0.001200000000' },
      registry_provider_version: 'google@3',
    })
    expect(rows[free]).toMatchObject({ cost_decimal: '0.001200000000', repriced_cost: null })
    const proof = await one.call(`/api/v1/receipts/${made.json.receipt.id}/logs/${certified}/proof`, { key })
    expect(proof.status).toBe(200)
    await expectExact()
    // At the price that it has, nothing stands beside it any more.
    await reprice({ registry_version: 'google@3' })
    expect((await logs()).find(({ id }) => id === certified)).toMatchObject({ repriced_cost: null })
  })

  it('waits for no certificate half-made: one over a price that changed meanwhile begins anew', async () => {
    const { batch, id, key } = await newProject()
    const [logId] = await batch([{}])
    const letGo = await holdTransaction(
      one.sql,
      (tx) =>
        tx`select pg_advisory_xact_lock(hashtextextended('llmring-prices:' || current_schema() || ${id}::text, 0))`,
    )
    const made = one.call('/api/v1/receipts/generate', { key, json: { log_ids: [logId] } })
    await eventually(async () => {
      expect(await one.sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).toHaveLength(1)
    })
    await one.sql`update usage_logs set cost = 7 where project_id = ${id}`
    await letGo()
    expect((await made).json.receipt.cost.amount).toBe('7.000000000000')
    await one.sql`update usage_logs set cost = 0.0056 where project_id = ${id}`
  })

  it('keeps the first price of an event and the last ones, however often it is repriced', async () => {
    const { batch, reprice, logs, id } = await newProject()
    await batch([{}])
    await reprice({ registry_version: 'google@1' })
    // As if that had been done eight times more.
    await one.sql`
      update usage_logs set earlier_prices = (select jsonb_agg(coalesce(earlier_prices -> n, earlier_prices -> 0 || jsonb_build_object(
        'registry_provider_version', 'was@' || n)) order by n) from generate_series(0, 8) as n) where project_id = ${id}`
    for (const version of [2, 1, 2]) await reprice({ registry_version: `google@${version}` })
    const [row] = await logs()
    const versions = row?.earlier_prices?.map((one) => one.registry_provider_version)
    expect(versions).toHaveLength(10)
    expect([versions?.[0], ...(versions?.slice(-3) ?? [])]).toEqual(['google@3', 'google@1', 'google@2', 'google@1'])
    expect(row).toMatchObject({ registry_provider_version: 'google@2', previous_cost: '0.001200000000' })
  })
})

describe('a job', () => {
  it('works through many events in chunks, while others are written, and its sums are exact', async () => {
    const { batch, finished, start, logs, id, key } = await newProject()
    const hot = (count: number, changes: object) =>
      Array.from({ length: count }, (_, at) => ({ alias: `alias-${at % 5}`, timestamp: daysAgo(15), ...changes }))
    for (let turn = 0; turn < 3; turn += 1) await batch(hot(700, { origin: `o${turn}` }))
    const { json } = await start()
    let isOver = false
    const writers = [one, two].map(async (service) => {
      while (!isOver) await batch(hot(40, { timestamp: daysAgo(3) }), service)
    })
    const job = await finished(json.id)
    isOver = true
    await Promise.all(writers)
    expect(job.status).toBe('done')
    expect(job.by_model.a.events).toBeGreaterThanOrEqual(2_100)
    const [left] = await one.sql`
      select count(*)::int as n from usage_logs where project_id = ${id} and logged_at < now() - interval '10 days'
        and registry_provider_version <> 'google@1'`
    expect(left?.['n']).toBe(0)
    const [sums] = await one.sql`
      select (select sum(cost)::text from usage_logs where project_id = ${id}) as rows,
        (select sum(cost)::numeric(30,12)::text from usage_rollups where project_id = ${id}
          and (grain = 'day' or shard <> 0)) as rollups`
    expect(sums?.['rollups']).toBe(sums?.['rows'])
    expect((await logs()).length).toBe(500)
    expect((await one.call('/api/v1/stats', { key })).json.summary.total_cost).toBe(sums?.['rows'])
    await expectExact()
  })

  it('moves the sums of events that were added up as others where they are', async () => {
    const { batch, reprice, id } = await newProject()
    const timestamp = daysAgo(15)
    for (let turn = 0; turn < 2; turn += 1) {
      await batch(Array.from({ length: 600 }, (_, at) => ({ timestamp, origin: `o-${turn}-${at}` })))
    }
    expect((await reprice()).changed).toBe(1_200)
    const wrong = await one.sql`
      select bucket, combo_id, sum(requests)::int as requests, sum(cost)::text as cost from usage_rollups
      where project_id = ${id} and (grain = 'quarter') group by 1, 2 having sum(cost) <> sum(requests) * 0.0012`
    expect([...wrong]).toEqual([])
    const [others] = await one.sql`
      select sum(requests)::int as n from usage_rollups join usage_combos on id = combo_id
      where usage_rollups.project_id = ${id} and grain = 'quarter' and folded`
    expect(others?.['n']).toBeGreaterThan(0)
    await expectExact()
  })

  it('is one at a time in a project: another one is refused, with the one that is not over', async () => {
    const { id, start, show } = await newProject()
    const open = randomUUID()
    await one.sql`
      insert into reprice_jobs (project_id, id, created_at, from_at, until_at, dry_run, status, found, due_at, failures)
      values (${id}, ${open}, now(), '2026-01-02 00:00Z', '2026-01-03 00:00Z', true, 'waiting', ${NOTHING}, now() + interval '1 hour', 0)`
    const again = await start({ start: '2026-01-02', end: '2026-01-02', dry_run: true })
    expect([again.status, again.json.id]).toEqual([202, open])
    const refused = await start()
    expect([refused.status, refused.json.code, refused.json.current.id]).toEqual([409, 'conflict', open])
    await one.sql`update reprice_jobs set due_at = now() where id = ${open}`
    await eventually(async () => expect((await show(open)).status).toBe('done'))
    expect((await start()).status).toBe(202)
  })

  it('can be cancelled: what it did stays, and nothing follows', async () => {
    const { id, key, show, start, batch } = await newProject()
    await batch([{ timestamp: daysAgo(15) }])
    const open = randomUUID()
    await one.sql`
      insert into reprice_jobs (project_id, id, created_at, from_at, until_at, dry_run, status, found, due_at, failures)
      values (${id}, ${open}, now(), now(), now(), false, 'waiting', ${NOTHING}, now() + interval '1 hour', 0)`
    const cancel = () => one.call(`${BASE}/${open}`, { key, method: 'DELETE' })
    expect((await cancel()).json).toMatchObject({ cancelled: true, job: { status: 'cancelled' } })
    expect((await cancel()).json).toMatchObject({ cancelled: false, job: { status: 'cancelled' } })
    await one.sql`update reprice_jobs set due_at = now() where id = ${open}`
    const { json } = await start()
    await eventually(async () => expect((await show(json.id)).status).toBe('done'))
    expect((await show(open)).status).toBe('cancelled')
    const { jobs } = (await one.call(BASE, { key })).json
    expect(jobs.map((job: { id: string }) => job.id).sort()).toEqual([open, json.id].sort())
  })

  it('whose instance is gone is taken up by another one, where it was', async () => {
    const { id, batch, finished, logs } = await newProject()
    await batch([20, 19, 18].map((days) => ({ timestamp: daysAgo(days - 1), id_at_origin: String(days) })))
    const first = (await logs()).at(-1) as Row
    const open = randomUUID()
    await one.sql`
      insert into reprice_jobs (project_id, id, created_at, from_at, until_at, dry_run, status, reached_at, reached_id, found,
        due_at, lease, failures)
      values (${id}, ${open}, now(), now() - interval '60 days', now(), false, 'running', ${first.logged_at},
        ${first.id}, ${
          '{"events":1,"changed":1,"skipped":0,"cost_before":"1.000000000000","cost_after":"2.000000000000",' +
          '"certified":{"events":0,"cost":"0.000000000000","repriced_cost":"0.000000000000"},"by_model":{}}'
        },
        now() + interval '1 second', ${randomUUID()}, 2)`
    expect(await finished(open)).toMatchObject({ status: 'done', events: 3, changed: 3, cost_before: '1.011200000000' })
    expect((await logs()).map(({ previous_cost }) => previous_cost !== null)).toEqual([true, true, false])
    await expectExact()
  })

  it.each([
    [{ start: 'yesterday' }, '/start'],
    [{ end: '2026-02-30' }, '/end'],
    [{ registry_version: 'google@9999' }, '/registry_version'],
    [{ registry_version: 'google' }, '/registry_version'],
    [{ registry_version: 'google@1+google@2' }, '/registry_version'],
    [{ dry_run: null }, '/dry_run'],
  ])('refuses %j', async (changes, pointer) => {
    const { start } = await newProject()
    const { status, json } = await start(changes)
    expect([status, json.errors?.[0]?.pointer]).toEqual([422, pointer])
  })
})
