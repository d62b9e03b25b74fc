import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
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

/** Records one event at a time of our clock. */
async function logAt(time: number | string, changes: Record<string, unknown>, project: ProjectId): Promise<string> {
  app.now = typeof time === 'string' ? Date.parse(time) : time
  const { log_id: id } = await app.log(changes, project)
  app.now = NOON
  return id
}

const ids = async (query: string, project: ProjectId) => {
  const { json } = await app.call(`/api/v1/logs${query}`, { project })
  return json.map((entry: { id: string }) => entry.id)
}

describe('the list', () => {
  it('shows an event with the original fields and the exact cost', async () => {
    const project = newProject()
    const sent = {
      alias: 'summarizer',
      profile: 'prod',
      origin: 'svc',
      id_at_origin: '7',
      conversation_id: 'c',
      metadata: { a: [1] },
    }
    const id = await logAt(NOON, { ...sent, latency_ms: 12.5, cached_input_tokens: 200, cost: 0.25 }, project)
    const { status, json } = await app.call('/api/v1/logs', { project })
    expect(status).toBe(200)
    expect(json).toEqual([
      {
        ...{ id, logged_at: '2026-03-15T12:00:00.000Z', provider: 'openai', model: 'gpt-4o-mini' },
        ...{ input_tokens: 1200, output_tokens: 340, cached_input_tokens: 200, cost: 0.25, ...sent },
        ...{ cost_decimal: '0.250000000000', cost_status: 'reported', reported_cost: '0.250000000000' },
        ...{
          computed_cost: expect.stringMatching(/^0\.000\d{9}$/),
          latency_ms: 12.5,
          input_tokens_include_cache: true,
        },
        ...{ cache_read_input_tokens: null, cache_write_5m_input_tokens: null, cache_write_1h_input_tokens: null },
        ...{ reasoning_tokens: null, registry_provider_version: 'openai@2' },
        unit_prices: expect.objectContaining({ dollars_per_million_tokens_input: '0.15' }),
        ...{ previous_cost: null, repriced_cost: null, earlier_prices: null },
      },
    ])
  })

  it('is newest first, stable where times are equal, and its pages hold each event once', async () => {
    const project = newProject()
    const logged: { id: string; time: number }[] = []
    for (let index = 0; index < 30; index++) {
      const time = NOON - Math.floor(index / 10) * 1000
      logged.push({ id: await logAt(time, {}, project), time })
    }
    const expected = logged.sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1)).map(({ id }) => id)
    expect(await ids('?limit=500', project)).toEqual(expected)
    const pages = await Promise.all([0, 7, 14, 21, 28].map((offset) => ids(`?limit=7&offset=${offset}`, project)))
    expect(pages.flat()).toEqual(expected)
    expect(await ids('?offset=30', project)).toEqual([])
  })

  it('has 50 events where no limit is given', async () => {
    const project = newProject()
    await Promise.all(Array.from({ length: 51 }, () => app.log({}, project)))
    expect(await ids('', project)).toHaveLength(50)
    expect(await ids('?limit=&offset=', project)).toHaveLength(50)
  })

  it('filters by alias, model and origin, exactly, and by all of them together', async () => {
    const project = newProject()
    const a = await logAt(NOON, { alias: 'a', origin: 'x' }, project)
    const b = await logAt(NOON + 1, { alias: 'A', origin: 'x', model: 'gpt-4o' }, project)
    const c = await logAt(NOON + 2, { alias: 'a', origin: "y' or 1=1 --" }, project)
    expect(await ids('?alias=a', project)).toEqual([c, a])
    expect(await ids('?origin=x', project)).toEqual([b, a])
    expect(await ids('?model=gpt-4o', project)).toEqual([b])
    expect(await ids(`?alias=a&origin=${encodeURIComponent("y' or 1=1 --")}`, project)).toEqual([c])
    expect(await ids('?alias=&origin=', project)).toEqual([c, b, a])
    expect(await ids('?alias=nobody', project)).toEqual([])
  })

  it('takes dates for whole days and times for included instants', async () => {
    const project = newProject()
    const before = await logAt('2026-03-14T23:59:59.999Z', {}, project)
    const first = await logAt('2026-03-15T00:00:00.000Z', {}, project)
    const last = await logAt('2026-03-15T23:59:59.999Z', {}, project)
    const after = await logAt('2026-03-16T00:00:00.000Z', {}, project)
    expect(await ids('?start_date=2026-03-15&end_date=2026-03-15', project)).toEqual([last, first])
    expect(await ids('?end_date=2026-03-14', project)).toEqual([before])
    expect(await ids('?start_date=2026-03-16T00:00:00Z', project)).toEqual([after])
    expect(await ids('?end_date=2026-03-15T00:00:00Z', project)).toEqual([first, before])
    expect(await ids(`?start_date=${encodeURIComponent('2026-03-16T05:30:00+05:30')}`, project)).toEqual([after])
  })

  it('never shows what another project recorded', async () => {
    const [mine, theirs] = [newProject(), newProject()]
    await logAt(NOON, { alias: 'secret' }, theirs)
    expect(await ids('', mine)).toEqual([])
    expect(await ids('?alias=secret', mine)).toEqual([])
  })

  it('is empty for a period whose start is behind its end', async () => {
    const project = newProject()
    await logAt(NOON, {}, project)
    expect(await ids('?start_date=2026-03-16&end_date=2026-03-14', project)).toEqual([])
  })

  it.each([
    ...['limit=0', 'limit=501', 'limit=1.5', 'limit=x', 'limit=-1', 'offset=-1', 'offset=1000001', 'offset=x'],
    ...['start_date=2026-02-30', 'end_date=2026-13-01'],
    ...['start_date=1969-12-31', 'alias=%00', `alias=${'x'.repeat(600)}`],
  ])('refuses %s with 422', async (query) => {
    const { status, json } = await app.call(`/api/v1/logs?${query}`)
    expect([status, json.code]).toEqual([422, 'validation-failed'])
    expect(json.errors[0].pointer).toBe(`query/${query.split('=')[0]}`)
  })

  it('is refused to a key that may only append', async () => {
    const { status, json } = await app.call('/api/v1/logs', { role: 'log' })
    expect([status, json.code]).toEqual([403, 'role-not-allowed'])
  })
})

describe('what a project exports', () => {
  it('is every event once, oldest first, page by page, whatever is recorded meanwhile', async () => {
    const project = newProject()
    const logged: { id: string; time: number }[] = []
    for (let index = 0; index < 25; index++) {
      const time = NOON + Math.floor(index / 6)
      logged.push({ id: await logAt(time, { metadata: { index } }, project), time })
    }
    await logAt(NOON, {}, newProject())
    const expected = logged.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
    const exported: string[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<typeof app.usage.export.usage>> = await app.usage.export.usage(project, after, 7)
      exported.push(...page.rows.map((row) => JSON.parse(row).id))
      after = page.next
      if (exported.length === 7) await logAt(NOON - 1, { alias: 'too old for the pages to come' }, project)
    } while (after !== null)
    expect(exported).toEqual(expected)
  })

  it('is nothing for a project without events', async () => {
    expect(await app.usage.export.usage(newProject(), null, 7)).toEqual({ rows: [], next: null })
  })
})

describe('erasing a chunk', () => {
  it('deletes at most so many rows of this project, oldest first, and says how many', async () => {
    const [project, other] = [newProject(), newProject()]
    // Two partitions, so that the rows of a chunk come from both.
    for (const time of ['2026-03-31T23:59:59Z', '2026-04-01T00:00:01Z']) {
      for (let index = 0; index < 5; index++) await logAt(time, {}, project)
      await logAt(time, {}, other)
    }
    expect(await app.usage.erase(project, 7)).toBe(7)
    const [left] = await app.database.sql`
      select count(*)::int as n, min(logged_at) as oldest from usage_logs where project_id = ${project}`
    expect(left).toEqual({ n: 3, oldest: new Date('2026-04-01T00:00:01Z') })
    expect(await app.usage.erase(project, 7)).toBe(3)
    // What they add up to, a quarter of an hour on either side of the month's end, and the names in it.
    expect(await app.usage.erase(project, 7)).toBe(2)
    expect(await app.usage.erase(project, 7)).toBe(1)
    expect(await app.usage.erase(project, 7)).toBe(0)
    expect(await app.database.sql`select 1 from usage_logs where project_id = ${other}`).toHaveLength(2)
  })
})
