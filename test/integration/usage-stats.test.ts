import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRollups } from '../../src/features/usage/feature.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'

let database: TestDatabase
let app: UsageApp

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

type Logged = readonly [time: string, changes: Record<string, unknown>]

async function projectWith(events: readonly Logged[]) {
  const project = newProject()
  for (const [time, changes] of events) {
    app.now = Date.parse(time)
    await app.log({ cost: 0.1, input_tokens: 10, output_tokens: 5, ...changes }, project)
  }
  app.now = NOON
  return project
}

const stats = async (project: Awaited<ReturnType<typeof projectWith>>, query = '') => {
  const { status, json } = await app.call(`/api/v1/stats${query}`, { project })
  expect(status).toBe(200)
  return json
}

it('the shape is the original one, sums are exact decimals, and unknown costs are counted', async () => {
  const project = await projectWith([
    ['2026-03-15T10:00:00Z', { model: 'gpt-4o', alias: 'a', origin: 'x', cost: 0.1 }],
    ['2026-03-15T11:00:00Z', { model: 'gpt-4o', alias: 'b', origin: 'x', cost: 0.2 }],
    ['2026-03-14T11:00:00Z', { model: 'nobody', origin: 'y', cost: null }],
    ['2026-03-14T12:00:00Z', { model: 'gpt-4o', alias: 'a', cost: 0.000000000001, output_tokens: null }],
  ])
  expect(await stats(project)).toEqual({
    summary: {
      total_requests: 4,
      total_cost: '0.300000000001',
      total_tokens: 55,
      unique_models: 2,
      unique_origins: 2,
      unpriced_requests: 1,
    },
    by_day: [
      { date: '2026-03-15', requests: 2, cost: '0.300000000000', top_model: 'gpt-4o' },
      { date: '2026-03-14', requests: 2, cost: '0.000000000001', top_model: 'gpt-4o' },
    ],
    by_model: {
      'gpt-4o': { requests: 3, cost: '0.300000000001', input_tokens: 30, output_tokens: 10 },
      nobody: { requests: 1, cost: '0.000000000000', input_tokens: 10, output_tokens: 5 },
    },
    by_origin: { x: { requests: 2, cost: 0.3 }, y: { requests: 1, cost: 0 } },
    by_alias: {
      a: { requests: 2, cost: '0.100000000001', input_tokens: 20, output_tokens: 5 },
      b: { requests: 1, cost: '0.200000000000', input_tokens: 10, output_tokens: 5 },
    },
  })
})

it('a project without events has sums of nothing', async () => {
  expect(await stats(newProject())).toEqual({
    summary: {
      ...{ total_requests: 0, total_cost: '0.000000000000', total_tokens: 0 },
      ...{ unique_models: 0, unique_origins: 0, unpriced_requests: 0 },
    },
    ...{ by_day: [], by_model: {}, by_origin: {}, by_alias: {} },
  })
})

describe('periods', () => {
  const events: Logged[] = [
    // 2026-03-02 is a Monday.
    ['2026-03-01T23:59:59.999Z', { model: 'b' }],
    ['2026-03-02T00:00:00.000Z', { model: 'b' }],
    ['2026-03-08T23:59:59.999Z', { model: 'a' }],
    ['2026-03-09T00:00:00.000Z', { model: 'c' }],
    ['2026-04-01T00:00:00.000Z', { model: 'c' }],
  ]
  const days = async (query: string) => {
    const { by_day: list } = await stats(await projectWith(events), query)
    return list.map((line: { date: string; requests: number; top_model: string }) => [
      line.date,
      line.requests,
      line.top_model,
    ])
  }

  it('are days, newest first, only those with events', async () => {
    expect(await days('?start_date=2026-01-01')).toEqual([
      ['2026-04-01', 1, 'c'],
      ['2026-03-09', 1, 'c'],
      ['2026-03-08', 1, 'a'],
      ['2026-03-02', 1, 'b'],
      ['2026-03-01', 1, 'b'],
    ])
  })

  it('are weeks that start on Monday; of models with as many requests the first name is on top', async () => {
    expect(await days('?start_date=2026-01-01&group_by=week')).toEqual([
      ['2026-03-30', 1, 'c'],
      ['2026-03-09', 1, 'c'],
      ['2026-03-02', 2, 'a'],
      ['2026-02-23', 1, 'b'],
    ])
  })

  it('have the model with most requests on top, whatever its name and its cost', async () => {
    const project = await projectWith([
      ['2026-03-15T01:00:00Z', { model: 'a', cost: 100 }],
      ['2026-03-15T02:00:00Z', { model: 'z', alias: 'one' }],
      ['2026-03-15T03:00:00Z', { model: 'z', alias: 'two' }],
      ['2026-03-15T04:00:00Z', { model: 'a', cost: 100 }],
      ['2026-03-15T05:00:00Z', { model: 'z', origin: 'three' }],
    ])
    expect((await stats(project)).by_day).toMatchObject([{ requests: 5, top_model: 'z' }])
  })

  it('are months', async () => {
    expect(await days('?start_date=2026-01-01&group_by=month')).toEqual([
      ['2026-04-01', 1, 'c'],
      ['2026-03-01', 4, 'b'],
    ])
  })
})

describe('the range', () => {
  const requests = async (project: Awaited<ReturnType<typeof projectWith>>, query = '') =>
    (await stats(project, query)).summary.total_requests

  it('of a date is its whole day in UTC, of a time the included instant, in any offset', async () => {
    const project = await projectWith([
      ['2026-03-04T23:59:59.999Z', {}],
      ['2026-03-05T00:00:00.000Z', {}],
      ['2026-03-05T23:59:59.999Z', {}],
      ['2026-03-06T00:00:00.000Z', {}],
    ])
    expect(await requests(project, '?start_date=2026-03-05&end_date=2026-03-05')).toBe(2)
    expect(await requests(project, '?start_date=2026-03-04&end_date=2026-03-06')).toBe(4)
    expect(await requests(project, '?start_date=2026-03-05T00:00:00Z&end_date=2026-03-06T00:00:00')).toBe(3)
    const offset = encodeURIComponent('2026-03-05T05:30:00+05:30')
    expect(await requests(project, `?start_date=${offset}&end_date=${offset}`)).toBe(1)
    expect(await requests(project, '?start_date=1970-01-01&end_date=9999-12-31&group_by=month')).toBe(4)
  })

  it('whose start is behind its end holds nothing', async () => {
    const project = await projectWith([['2026-03-05T12:00:00.000Z', { alias: 'a', origin: 'o' }]])
    expect(await requests(project, '?start_date=2026-03-05&end_date=2026-03-05')).toBe(1)
    for (const query of ['start_date=2026-03-06&end_date=2026-03-04', 'start_date=9999-12-31&end_date=1970-01-01']) {
      expect(await stats(project, `?${query}`)).toEqual({
        summary: {
          ...{ total_requests: 0, total_cost: '0.000000000000', total_tokens: 0, unpriced_requests: 0 },
          ...{ unique_models: 0, unique_origins: 0 },
        },
        ...{ by_day: [], by_model: {}, by_origin: {}, by_alias: {} },
      })
    }
  })

  it('is the last 30 days where none is given', async () => {
    const monthAgo = NOON - 30 * 86_400_000
    const at = (ms: number): Logged => [new Date(ms).toISOString(), {}]
    // The partition of February belongs to nobody else here.
    await app.database.sql.unsafe(
      `create table usage_logs_2026_02 partition of usage_logs for values from ('2026-02-01 00:00:00+00') to ('2026-03-01 00:00:00+00')`,
    )
    expect(await requests(await projectWith([at(monthAgo - 1), at(monthAgo), at(NOON)]))).toBe(2)
  })

  it.each([
    ...['start_date=2026-02-30', 'start_date=2026-13-01', 'end_date=1969-12-31', 'end_date=10000-01-01'],
    ...['group_by=year', 'start_date=soon', `end_date=${'1'.repeat(65)}`],
  ])('%s is refused with 422', async (query) => {
    const { status, json } = await app.call(`/api/v1/stats?${query}`)
    expect([status, json.code]).toEqual([422, 'validation-failed'])
    expect(json.errors[0].pointer).toBe(`query/${query.split('=')[0]}`)
  })
})

it('names may be any text: nothing is lost or polluted by __proto__ and its like', async () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '(other)', '17', 'ü"\\']
  const project = await projectWith(
    names.map((name): Logged => ['2026-03-15T10:00:00Z', { model: name, alias: name, origin: name }]),
  )
  const json = await stats(project)
  for (const part of ['by_model', 'by_origin', 'by_alias']) {
    expect(Object.keys(json[part]).sort()).toEqual([...names].sort())
    for (const name of names)
      expect(Object.getOwnPropertyDescriptor(json[part], name)?.value).toMatchObject({ requests: 1 })
  }
  expect(({} as { requests?: number }).requests).toBeUndefined()
})

it('sums beyond what a double can hold stay exact', async () => {
  const project = await projectWith([
    ['2026-03-15T10:00:00Z', { cost: 1e12 }],
    ['2026-03-15T10:00:00Z', { cost: 1e12 }],
    ['2026-03-15T10:00:00Z', { cost: 0.000000000001 }],
  ])
  expect((await stats(project)).summary.total_cost).toBe('2000000000000.000000000001')
})

it('beyond 10,000 combinations of names the rest is one line, and the parts still equal the whole', async () => {
  const project = newProject()
  await app.database.sql`
    insert into usage_logs (project_id, logged_at, id, provider, model, alias, input_tokens, output_tokens, cost, cost_status)
    select ${project}, to_timestamp(${NOON}::float8 / 1000), gen_random_uuid(), 'openai', 'm' || n, 'a', 1, 1, 0.000000000001, 'priced'
    from generate_series(1, 10005) as n, generate_series(1, case when n > 5 then 1 else 2 end)`
  await openRollups(app.database.sql).repair({ projectId: project, day: '2026-03-15' })
  const { summary, by_model: models, by_alias: aliases } = await stats(project)
  expect(summary).toMatchObject({ total_requests: 10_010, unique_models: 10_001, total_cost: '0.000000010010' })
  expect(summary.folded_requests).toBe(5)
  expect(Object.keys(models)).toHaveLength(10_001)
  expect(models['(other)']).toMatchObject({ requests: 5, cost: '0.000000000005' })
  for (const most of ['m1', 'm5']) expect(models[most]).toMatchObject({ requests: 2 })
  expect(aliases.a).toMatchObject({ requests: 10_005 })
  expect(aliases['(other)']).toMatchObject({ requests: 5 })
})

it('a key that may only append is refused', async () => {
  const { status } = await app.call('/api/v1/stats', { role: 'log' })
  expect(status).toBe(403)
})
