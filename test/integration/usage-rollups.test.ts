import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRollups } from '../../src/features/usage/feature.js'
import type { FindPrice } from '../../src/features/usage/price/price-event.js'
import { checkRollups, type DayDifferences } from '../../src/features/usage/rollups/check-rollups.js'
import { foldRollups } from '../../src/features/usage/rollups/fold-rollups.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { EVENT, fixturePrices, NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'
import { holdTransaction } from '../support/held-transaction.js'

let database: TestDatabase
let app: UsageApp
let isLoaded = true
const findPrice: FindPrice = (provider, model) =>
  isLoaded ? fixturePrices(provider, model) : { status: 'no_registry' }

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url, findPrice, registryLoaded: async () => false })
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

type Project = ReturnType<typeof newProject>
const DAY_MS = 86_400_000
const rollups = () => openRollups(app.database.sql)
/** Folds all that is older than now, at noon and so many days later. */
const fold = (days = 1, rowsMax = 50) => foldRollups({ clock: () => NOON + days * DAY_MS, ...rollups(), rowsMax })

async function differences(verb: 'compare' | 'repair' = 'compare'): Promise<DayDifferences[]> {
  const found: DayDifferences[] = []
  for await (const day of checkRollups({ ...rollups(), settle: rollups()[verb] })) found.push(day)
  return found
}

/** The sums of a grain, with what is not folded yet, and those of the rows: they have to be equal. */
async function wholes(project: Project) {
  const sums = ['requests', 'cost', 'input_tokens', 'output_tokens', 'reasoning_tokens', 'priced', 'unknown_model']
  const summed = sums
    .map((name) => `coalesce(sum(${name}), 0)${name === 'cost' ? '::numeric(40,12)' : ''}::text as ${name}`)
    .join(', ')
  const of = async (condition: string) =>
    (
      await app.database.sql.unsafe(
        `select ${summed} from usage_rollups where project_id = '${project}' and ${condition}`,
      )
    )[0]
  const grains = ['quarter', 'hour', 'day'].map((grain) => of(`((grain = '${grain}' and shard = 0) or shard <> 0)`))
  const [rows] = await app.database.sql`
    select count(*)::text as requests, coalesce(sum(cost), 0)::numeric(40,12)::text as cost, coalesce(sum(input_tokens), 0)::text as input_tokens,
      coalesce(sum(output_tokens), 0)::text as output_tokens, coalesce(sum(reasoning_tokens), 0)::text as reasoning_tokens,
      count(*) filter (where cost_status = 'priced')::text as priced,
      count(*) filter (where cost_status = 'unknown_model')::text as unknown_model
    from usage_logs where project_id = ${project}`
  return { rows, grains: await Promise.all(grains) }
}

async function expectExact(project: Project) {
  const { rows, grains } = await wholes(project)
  expect(grains).toEqual([rows, rows, rows])
  return rows
}

const name = fc.constantFrom('a', 'b', 'é"', '__proto__')
const event = fc.record({
  ...{ model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'nobody'), alias: fc.option(name), profile: fc.option(name) },
  ...{ origin: fc.option(name), cost: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })) },
  ...{ input_tokens: fc.option(fc.nat(1e9)), output_tokens: fc.nat(1e9), cached_input_tokens: fc.constant(0) },
  timestamp: fc.integer({ min: NOON - 3 * DAY_MS, max: NOON }).map((ms) => new Date(ms).toISOString()),
})

it('rollups are the sums of the rows to the last pico-dollar, whenever they are folded, and late events count', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 5 })), { maxLength: 30 }), async (events) => {
      const project = newProject()
      for (const [sent, chance] of events) {
        await app.log(sent, project)
        if (chance === 0) await fold()
      }
      await expectExact(project)
      await fold()
      await expectExact(project)
    }),
    { numRuns: 12 },
  )
  expect(await differences()).toEqual([])
})

it('what is written while it is folded is passed over, and neither lost nor counted twice', async () => {
  const project = newProject()
  const timestamp = '2026-03-15T10:00:00Z'
  await app.log({ timestamp }, project)
  await app.log({ timestamp, alias: 'other' }, project)
  const letGo = await holdTransaction(
    app.database.sql,
    (tx) => tx`update usage_rollups set requests = requests where project_id = ${project} and combo_id = (
      select id from usage_combos where project_id = ${project} and alias = 'other')`,
  )
  await fold()
  const shards = async () => app.database.sql`select 1 from usage_rollups where project_id = ${project} and shard <> 0`
  expect(await shards()).toHaveLength(1)
  await letGo()
  await Promise.all([fold(), fold(), app.log({ timestamp }, project), app.log({ timestamp }, project), fold()])
  await fold()
  expect(await shards()).toHaveLength(0)
  expect(await expectExact(project)).toMatchObject({ requests: '4' })
})

it('an event that is repeated is added up once', async () => {
  const project = newProject()
  for (let turn = 0; turn < 3; turn += 1) await app.log({ idempotency_key: 'k' }, project)
  expect(await expectExact(project)).toMatchObject({ requests: '1' })
})

it('an event that is priced later moves its sums with it', async () => {
  const project = newProject()
  isLoaded = false
  for (const alias of ['a', 'b']) await app.log({ alias }, project)
  await fold()
  isLoaded = true
  await app.usage.priceWaiting()
  expect(await expectExact(project)).toMatchObject({ requests: '2', priced: '2', cost: '0.000768000000' })
  const [row] = await app.database.sql`
    select sum(no_registry)::int as waiting from usage_rollups where project_id = ${project} and grain = 'quarter'`
  expect(row?.['waiting']).toBe(0)
  expect(await differences()).toEqual([])
})

it('beyond 1,000 combinations of names in an hour alias and origin fold, and the sums stay those of the rows', async () => {
  const project = newProject()
  const json = Array.from({ length: 1_200 }, (_, at) => ({ ...EVENT, origin: `o${at}`, alias: `a${at % 3}` }))
  await app.call('/api/v1/log/batch', { project, json })
  const combos = await app.database.sql`select alias, origin, folded from usage_combos where project_id = ${project}`
  expect(combos).toHaveLength(1_001)
  expect(combos.filter(({ folded }) => folded)).toEqual([{ alias: '(other)', origin: '(other)', folded: true }])
  expect(await expectExact(project)).toMatchObject({ requests: '1200' })
  expect(await differences()).toEqual([])
})

it('beyond 1,000 providers, models and profiles in an hour all names fold', async () => {
  const project = newProject()
  const json = Array.from({ length: 2_300 }, (_, at) => ({ ...EVENT, model: `m${at}` }))
  await app.call('/api/v1/log/batch', { project, json })
  const combos = await app.database.sql`select provider, model, folded from usage_combos where project_id = ${project}`
  expect(combos).toHaveLength(2_001)
  expect(combos.filter(({ provider }) => provider !== 'openai')).toEqual([
    { provider: '(other)', model: '(other)', folded: true },
  ])
  expect(await expectExact(project)).toMatchObject({ requests: '2300' })
  expect(await differences()).toEqual([])
})

describe('rollups that are wrong', () => {
  const wrongs: [string, (project: Project) => Promise<unknown>, string][] = [
    [
      'too large',
      (id) => app.database.sql`update usage_rollups set cost = cost + 1 where project_id = ${id} and grain = 'quarter'`,
      'ofRows',
    ],
    ['gone', (id) => app.database.sql`delete from usage_rollups where project_id = ${id}`, 'ofRows'],
    [
      'gone with their names',
      (id) => app.database.sql`
      with gone as (delete from usage_combos where project_id = ${id}) delete from usage_rollups where project_id = ${id}`,
      'ofRows',
    ],
    ['of rows that are not there', (id) => app.database.sql`delete from usage_logs where project_id = ${id}`, 'ofRows'],
    [
      'wrong in a day',
      (id) => app.database.sql`update usage_rollups set requests = 9 where project_id = ${id} and grain = 'day'`,
      'ofGrains',
    ],
    [
      'gone from hours',
      (id) => app.database.sql`delete from usage_rollups where project_id = ${id} and grain = 'hour'`,
      'ofGrains',
    ],
  ]
  it.each(wrongs)('%s are found by a check and put right by a rebuild', async (_, spoil, member) => {
    const project = newProject()
    for (const minute of ['00', '15', '16']) {
      await app.log({ timestamp: `2026-03-14T10:${minute}:00Z`, alias: minute }, project)
    }
    await fold()
    await spoil(project)
    const found = await differences()
    expect(found.map(({ projectId, day }) => [projectId, day])).toEqual([[project, '2026-03-14']])
    expect(found[0]).toHaveProperty(member, expect.any(Number))
    expect(found[0]?.[member as 'ofRows']).toBeGreaterThan(0)
    await differences('repair')
    await fold()
    await differences('repair')
    expect(await differences()).toEqual([])
    await expectExact(project)
  })

  it('in a month whose rows were dropped are kept as they are', async () => {
    const project = newProject()
    const timestamp = '2025-07-01T00:00:00Z'
    await app.log({ timestamp }, project)
    await app.database.sql.unsafe('alter table usage_logs detach partition usage_logs_2025_07')
    expect(await differences('repair')).toEqual([])
    const [kept] = await app.database.sql`select requests from usage_rollups where project_id = ${project}`
    expect(kept?.['requests']).toBe('1')
    await app.database.sql`drop table usage_logs_2025_07`
  })
})

it('the migration adds up what was recorded before', async () => {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL('../../migrations/0010_usage_rollups.sql', import.meta.url), 'utf8')
  const project = randomUUID() as Project
  for (const alias of ['a', null, 'a']) await app.log({ alias, cost: 0.1 }, project)
  await app.log({ timestamp: '2026-03-14T10:07:00Z', model: 'nobody', output_tokens: null }, project)
  await app.database.sql.begin((tx) =>
    tx.unsafe(`set local search_path = llmring; drop table usage_combos, usage_rollups; ${text}`).simple(),
  )
  expect(await expectExact(project)).toMatchObject({ requests: '4' })
  expect(await differences()).toEqual([])
})
