import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRollups } from '../../src/features/usage/feature.js'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { EVENT, NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'

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

type Project = ReturnType<typeof newProject>
type Group = Record<string, unknown> & { readonly requests: number; readonly cost: string }
const DAY_MS = 86_400_000

async function projectWith(events: readonly Record<string, unknown>[]): Promise<Project> {
  const project = newProject()
  const json = events.map((changes) => ({ ...EVENT, ...changes }))
  const { status } = await app.call('/api/v1/log/batch', { project, json })
  expect(status).toBe(200)
  return project
}
const ask = (project: Project, query: string) => app.call(`/api/v1/stats?${query}`, { project })

it('the two bills that are known come out exactly, by model, with their kinds of tokens apart', async () => {
  const project = await projectWith([
    {
      ...{ provider: 'anthropic', model: 'claude-3-7-sonnet-20250219', input_tokens: 3, output_tokens: 550 },
      cache_write_5m_input_tokens: 12_304,
    },
    {
      ...{ provider: 'anthropic', model: 'claude-3-5-haiku-20241022', input_tokens: 2459, output_tokens: 23 },
      cached_input_tokens: 2455,
    },
  ])
  const { json } = await ask(project, 'format=rows&by=model')
  expect(json.map(({ model, cost, requests }: Group) => [model, cost, requests])).toEqual([
    ['claude-3-5-haiku-20241022', '0.000291600000', 1],
    ['claude-3-7-sonnet-20250219', '0.054399000000', 1],
  ])
  expect(json[0]).toMatchObject({ input_tokens: 2459, cached_input_tokens: 2455, output_tokens: 23, priced: 1 })
  expect(json[1]).toMatchObject({ input_tokens: 3, cache_write_5m_input_tokens: 12_304, reasoning_tokens: 0 })
})

describe('groups', () => {
  const events = [
    { timestamp: '2026-03-14T18:29:59Z', alias: 'a', origin: 'x', cost: 0.1 },
    { timestamp: '2026-03-14T18:30:00Z', alias: 'a', origin: 'y', cost: 0.2 },
    { timestamp: '2026-03-15T10:00:00Z', alias: 'b', origin: 'x', cost: 0.4 },
    { timestamp: '2026-03-15T11:00:00Z', model: 'nobody', cost: null },
  ]

  it('are of any names together, in days of the zone, newest first', async () => {
    const { json } = await ask(await projectWith(events), 'format=rows&by=alias,origin&tz=Asia/Kolkata')
    expect(json.map(({ date, alias, origin, cost }: Group) => [date, alias, origin, cost])).toEqual([
      ['2026-03-15', null, null, '0.000000000000'],
      ['2026-03-15', 'a', 'y', '0.200000000000'],
      ['2026-03-15', 'b', 'x', '0.400000000000'],
      ['2026-03-14', 'a', 'x', '0.100000000000'],
    ])
    expect(json[0]).toMatchObject({ requests: 1, unknown_model: 1, priced: 0, reported: 0 })
    expect(json[0]).not.toHaveProperty('model')
  })

  it('of no names are the periods, and of the whole period one', async () => {
    const project = await projectWith(events)
    const { json } = await ask(project, 'format=rows')
    expect(json.map(({ date, requests }: Group) => [date, requests])).toEqual([
      ['2026-03-15', 2],
      ['2026-03-14', 2],
    ])
    const total = await ask(project, 'format=rows&group_by=total&start_date=2026-03-01')
    expect(total.json).toMatchObject([{ date: '2026-03-01', requests: 4, cost: '0.700000000000', reported: 3 }])
    expect((await ask(newProject(), 'format=rows&group_by=total')).json).toEqual([])
  })

  it('stand beside the sums if they are asked for, and not otherwise', async () => {
    const project = await projectWith(events)
    const { json } = await ask(project, 'by=provider')
    const { groups, ...sums } = json
    expect(groups).toMatchObject([
      { provider: 'openai', requests: 2 },
      { provider: 'openai', requests: 2 },
    ])
    expect((await ask(project, '')).json).toEqual(sums)
  })

  it('are lines of CSV too; a name that looks like a formula is escaped unless it is to be kept', async () => {
    const project = await projectWith([{ alias: '=1+1', origin: 'a "b",\nc', cost: 0.1 }])
    const escaped = await ask(project, 'format=csv&by=alias,origin')
    expect(escaped.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const [header, ...lines] = escaped.text.split('\r\n')
    expect(header).toBe(
      'date,alias,origin,requests,cost,input_tokens,output_tokens,cached_input_tokens,cache_read_input_tokens,cache_write_5m_input_tokens,cache_write_1h_input_tokens,reasoning_tokens,reported,priced,free,no_price,unknown_model,no_registry',
    )
    expect(lines).toEqual([`2026-03-15,'=1+1,"a ""b"",\nc",1,0.100000000000,1200,340,0,0,0,0,0,1,0,0,0,0,0`, ''])
    const kept = await ask(project, 'format=csv&by=alias,origin&formulas=keep')
    expect(kept.text).toContain('2026-03-15,=1+1,')
  })

  it.each([
    ...['by=day', 'by=model,model', 'by=model,', 'by=%20model', 'tz=Mars/Base', 'tz=%2B05:30', 'format=xml'],
    ...['formulas=run', 'group_by=quarter'],
  ])('%s is refused with 422', async (query) => {
    const { status, json } = await ask(app.project, query)
    expect([status, json.errors[0].pointer]).toEqual([422, `query/${query.split('=')[0]}`])
  })

  it('of more hours than are listed are refused with 422', async () => {
    const { status, json } = await ask(app.project, 'group_by=hour&start_date=2023-06-01')
    expect([status, json.errors[0].pointer]).toEqual([422, 'query/group_by'])
    expect((await ask(app.project, 'group_by=hour&start_date=2025-06-01')).status).toBe(200)
  })
})

it('of more groups than are listed the rest is (other), and the groups still equal the whole', async () => {
  // An event a month makes its partition.
  const months = ['2026-01-20T00:00:00Z', '2026-02-20T00:00:00Z']
  await projectWith(months.map((timestamp) => ({ timestamp })))
  const project = newProject()
  const names = 300
  await app.database.sql`
    insert into usage_logs (project_id, logged_at, id, provider, model, alias, input_tokens, output_tokens, cost, cost_status)
    select ${project}, to_timestamp(${NOON - DAY_MS}::float8 / 1000) - day * interval '1 day', gen_random_uuid(), 'openai', 'm',
      'a' || n, 1, 1, 0.000000000001, 'priced'
    from generate_series(1, ${names}) as n, generate_series(0, 49) as day, generate_series(1, case when n > 5 then 1 else 2 end)`
  const { repair, listDays } = openRollups(app.database.sql)
  for (const day of await listDays(project)) await repair({ projectId: project, day })
  const from = new Date(NOON - 51 * DAY_MS).toISOString().slice(0, 10)
  const { json } = await ask(project, `format=rows&by=alias,model&start_date=${from}&end_date=2026-03-15`)
  expect(json.length).toBeLessThanOrEqual(USAGE_LIMITS.statsGroupsMax + 50)
  const sum = (of: (group: Group) => number) => json.reduce((total: number, group: Group) => total + of(group), 0)
  expect(sum(({ requests }) => requests)).toBe(50 * (names + 5))
  expect(sum(({ cost }) => Number(cost.replace('.', '')))).toBe(50 * (names + 5))
  const others = json.filter(({ alias }: { alias: string }) => alias === '(other)')
  expect(others).toHaveLength(50)
  for (const most of ['a1', 'a5']) {
    expect(json.filter(({ alias, requests }: Group) => alias === most && requests === 2)).toHaveLength(50)
  }
})

it('a quarter of an hour that a midnight cuts, as of Monrovia until 1972, is counted from its rows, folded or not', async () => {
  const { sql } = app.database
  await sql.unsafe(
    `create table usage_logs_1971_05 partition of usage_logs for values from ('1971-05-01 00:00:00+00') to ('1971-06-01 00:00:00+00')`,
  )
  const project = newProject()
  for (const time of ['00:44:00', '00:44:29', '00:44:31', '00:50:00']) {
    await sql`
      insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status)
      values (${project}, ${`1971-05-05 ${time}+00`}::text::timestamptz, gen_random_uuid(), 'openai', 'm', 0, 'free')`
  }
  const rollups = openRollups(sql)
  await rollups.repair({ projectId: project, day: '1971-05-05' })
  const days = async () => {
    const { json } = await ask(project, 'format=rows&tz=Africa/Monrovia&start_date=1971-05-01&end_date=1971-05-10')
    return json.map(({ date, requests }: Group) => [date, requests])
  }
  const expected = [
    ['1971-05-05', 2],
    ['1971-05-04', 2],
  ]
  expect(await days()).toEqual(expected)
  await rollups.fold(NOON, 50)
  expect(await days()).toEqual(expected)
})
