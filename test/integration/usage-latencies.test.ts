import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRollups } from '../../src/features/usage/feature.js'
import { checkRollups, type DayDifferences } from '../../src/features/usage/rollups/check-rollups.js'
import { foldRollups } from '../../src/features/usage/rollups/fold-rollups.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { EVENT, NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'
import { holdTransaction } from '../support/held-transaction.js'

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
const rollups = () => openRollups(app.database.sql)
const fold = () => foldRollups({ clock: () => NOON, ...rollups(), rowsMax: 50 })
const send = (project: Project, events: readonly object[]) =>
  app.call('/api/v1/log/batch', { project, json: events.map((changes) => ({ ...EVENT, ...changes })) })
const ask = async (project: Project, query = '') =>
  (await app.call(`/api/v1/stats?latency=true&${query}`, { project })).json
const lines = (project: Project) => app.database.sql`select counts from usage_latencies where project_id = ${project}`

async function differences(verb: 'compare' | 'repair' = 'compare'): Promise<DayDifferences[]> {
  const found: DayDifferences[] = []
  for await (const day of checkRollups({ ...rollups(), settle: rollups()[verb] })) found.push(day)
  return found
}

/** By nearest rank, of the latencies themselves. */
function expectNear(found: Record<string, number> | null, latencies: readonly number[]) {
  if (latencies.length === 0) return expect(found).toBeNull()
  const sorted = latencies.toSorted((one, other) => one - other)
  expect(found?.['requests']).toBe(sorted.length)
  for (const percent of [50, 90, 95, 99]) {
    const exact = sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0
    const near = found?.[`p${percent}_ms`] ?? Number.NaN
    expect(Math.abs(near - exact)).toBeLessThanOrEqual(0.02 * exact)
  }
}

it('percentiles of the whole, of each period and of each model are at most 2 % off, folded or not', async () => {
  const latency = fc.option(
    fc.oneof(
      fc.constant(0),
      fc.double({ min: -2, max: 8.9, noNaN: true }).map((digits) => 10 ** digits),
    ),
  )
  const event = fc.record({
    ...{ latency_ms: latency, model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', '__proto__') },
    timestamp: fc.integer({ min: NOON - 4 * 86_400_000, max: NOON }).map((ms) => new Date(ms).toISOString()),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.nat(2),
      async (events, folds) => {
        const project = newProject()
        const half = Math.floor(events.length / 2)
        await send(project, events.slice(0, half))
        if (folds > 0) await fold()
        await send(project, events.slice(half))
        if (folds > 1) await fold()
        const { summary, by_day: days, by_model: models } = await ask(project)
        const of = (isMeant: (event: (typeof events)[number]) => boolean) =>
          events.flatMap((one) => (isMeant(one) && one.latency_ms !== null ? [one.latency_ms] : []))
        expectNear(
          summary.latency,
          of(() => true),
        )
        for (const { date, latency: found } of days)
          expectNear(
            found,
            of(({ timestamp }) => timestamp.startsWith(date)),
          )
        for (const [name, { latency: found }] of Object.entries<{ latency: Record<string, number> }>(models)) {
          expectNear(
            found,
            of(({ model }) => model === name),
          )
        }
      },
    ),
    { numRuns: 15 },
  )
  expect(await differences()).toEqual([])
})

it('nothing is said of latencies unless it is asked for', async () => {
  const project = newProject()
  await app.log({ latency_ms: 5 }, project)
  expect((await app.call('/api/v1/stats', { project })).text).not.toContain('latency')
})

it('an hour that a bound cuts belongs to the period in which it begins', async () => {
  const project = newProject()
  await send(project, [
    { timestamp: '2026-03-14T18:10:00Z', latency_ms: 100 },
    { timestamp: '2026-03-14T18:40:00Z', latency_ms: 200 },
    { timestamp: '2026-03-14T19:10:00Z', latency_ms: 300 },
  ])
  const { by_day: days } = await ask(project, 'tz=Asia/Kolkata')
  expect(days).toMatchObject([
    { date: '2026-03-15', requests: 2, latency: { requests: 1 } },
    { date: '2026-03-14', requests: 1, latency: { requests: 2 } },
  ])
})

it('an event that is repeated counts once, and lines of one hour and model are folded into one', async () => {
  const project = newProject()
  for (let turn = 0; turn < 3; turn += 1) await app.log({ idempotency_key: 'k', latency_ms: 5 }, project)
  for (let turn = 0; turn < 3; turn += 1) await app.log({ latency_ms: 5 }, project)
  expect(await lines(project)).toHaveLength(4)
  await fold()
  expect((await lines(project)).map(({ counts }) => String(counts))).toEqual(['{4}'])
})

it('a line that another one is just reading for itself is passed over, and neither lost nor counted twice', async () => {
  const project = newProject()
  for (const ms of [5, 5]) await app.log({ latency_ms: ms }, project)
  const letGo = await holdTransaction(
    app.database.sql,
    (tx) => tx`select 1 from usage_latencies where project_id = ${project} order by id limit 1 for update`,
  )
  await fold()
  expect(await lines(project)).toHaveLength(2)
  await letGo()
  await Promise.all([fold(), app.log({ latency_ms: 5 }, project), fold()])
  await fold()
  expect((await lines(project)).map(({ counts }) => String(counts))).toEqual(['{3}'])
})

describe('latencies that are wrong', () => {
  const wrongs: [string, (project: Project) => Promise<unknown>][] = [
    [
      'too many',
      (id) => app.database.sql`update usage_latencies set counts[1] = counts[1] + 5 where project_id = ${id}`,
    ],
    ['gone', (id) => app.database.sql`delete from usage_latencies where project_id = ${id}`],
    [
      'of rows that say another one',
      (id) => app.database.sql`update usage_logs set latency_ms = 77 where project_id = ${id}`,
    ],
  ]
  it.each(wrongs)('%s are found by a check and put right by a rebuild', async (_, spoil) => {
    const project = newProject()
    await send(
      project,
      [0, 3, 5, 5, 900].map((latency_ms) => ({ latency_ms, timestamp: '2026-03-14T10:00:00Z' })),
    )
    await fold()
    await spoil(project)
    const found = await differences()
    expect(found.map(({ projectId, day, ofRows, ofGrains }) => [projectId, day, ofRows, ofGrains])).toEqual([
      [project, '2026-03-14', 0, 0],
    ])
    expect(found[0]?.ofLatencies).toBeGreaterThan(0)
    await differences('repair')
    await fold()
    expect(await differences()).toEqual([])
    const logged = await app.database.sql<
      { ms: number }[]
    >`select latency_ms as ms from usage_logs where project_id = ${project}`
    expectNear(
      (await ask(project)).summary.latency,
      logged.map(({ ms }) => ms),
    )
  })
})

it('of more models in an hour than are kept the rest is one, and a check knows', async () => {
  const project = newProject()
  await send(
    project,
    Array.from({ length: 2_100 }, (_, at) => ({ model: `m${at}`, latency_ms: 1 + at })),
  )
  const [row] = await app.database.sql`
    select count(distinct model)::int as models from usage_latencies where project_id = ${project}`
  expect(row?.['models']).toBe(2_001)
  expect((await ask(project)).summary.latency.requests).toBe(2_100)
  expect(await differences()).toEqual([])
})

it('the migration keeps what was recorded before', async () => {
  const text = await readFile(new URL('../../migrations/0013_usage_latencies.sql', import.meta.url), 'utf8')
  const project = newProject()
  const latencies = [0, 0.5, 12, 12, 90_000]
  await send(
    project,
    latencies.map((latency_ms) => ({ latency_ms })),
  )
  await app.database.sql.begin((tx) =>
    tx.unsafe(`set local search_path = llmring; drop table usage_latencies; ${text}`).simple(),
  )
  expectNear((await ask(project)).summary.latency, latencies)
  expect(await differences()).toEqual([])
})
