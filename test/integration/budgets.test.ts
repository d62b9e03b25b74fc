import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { decimalFromPico } from '../../src/core/pricing/index.js'
import { createTransact } from '../../src/db/transact.js'
import type { Spending } from '../../src/features/budgets/budget.js'
import { checkProject } from '../../src/features/budgets/check-project.js'
import { createCheckingStore } from '../../src/features/budgets/checking-store.js'
import { createBudgetStore } from '../../src/features/budgets/store.js'
import { openRollups } from '../../src/features/usage/feature.js'
import { partAt } from '../../src/features/usage/stats/calendar.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'
import { type Receiver, startReceiver, verifyWebhook } from '../support/webhook-receiver.js'

const PATH = '/api/v1/budgets'
/** A crowded machine may take long to check what is checked every three seconds. */
const CHECKED_MS_MAX = 40_000
const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 10, output_tokens: 1 }

let database: TestDatabase
let service: RunningService
let other: RunningService
const start = () => startService({ LLMRING_DATABASE_URL: database.url, LLMRING_WEBHOOK_PRIVATE: 'true' })
beforeAll(async () => {
  database = await cloneDatabase()
  service = await start()
  other = await start()
})
afterAll(async () => {
  await service.close()
  await other.close()
  await database.drop()
})

/** A zone in which it is midday, so that no period ends while a test runs. */
const ZONE = (() => {
  const hours = 12 - new Date().getUTCHours()
  return hours === 0 ? 'Etc/GMT' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`
})()
const DAILY = { amount: '10', period: 'day', tz: ZONE } as const

type Team = { readonly key: string; readonly id: ProjectId }
async function newTeam(): Promise<Team> {
  const { json: project } = await service.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: {} })
  const path = `/api/v1/admin/projects/${project.id}/keys`
  const { json: made } = await service.call(path, { key: OPERATOR_KEY, json: {} })
  return { key: made.key, id: project.id }
}
const put = async ({ key }: Team, budgets: readonly object[]) =>
  service.call(PATH, { method: 'PUT', key, json: { budgets } })
const show = async ({ key }: Team, on = service) => (await on.call(PATH, { key })).json.budgets
const spend = async ({ key }: Team, cost: string, more: object = {}, on = service) =>
  expect((await on.call('/api/v1/log', { key, json: { ...EVENT, cost, ...more } })).status).toBe(200)

describe('budgets', () => {
  it('show what is spent and left, to the last digit, the moment that it is recorded and after it is folded', async () => {
    const team = await newTeam()
    const set = await put(team, [
      DAILY,
      { alias: 'summarizer', amount: '0.3', period: 'month', tz: ZONE, thresholds: [100, 10] },
      { profile: 'prod', amount: '5', period: 'week', tz: ZONE },
    ])
    expect([set.status, set.json.budgets.length]).toEqual([200, 3])
    expect(set.json.budgets[0]).toMatchObject({ spent: '0.000000000000', left: '10.000000000000', reached: null })
    await spend(team, '0.1', { alias: 'summarizer' })
    await spend(team, '0.200000000001', { alias: 'summarizer', profile: 'prod' })
    await spend(team, '7', { profile: 'dev' })
    await spend(await newTeam(), '1000')
    const expected = [
      { spent: '7.300000000001', left: '2.699999999999', reached: 50 },
      { spent: '0.300000000001', left: '-0.000000000001', reached: 100, thresholds: [10, 100] },
      { spent: '0.200000000001', left: '4.799999999999', reached: null },
    ]
    expect(await show(team, other)).toMatchObject(expected)
    await openRollups(service.sql).fold(Date.now() + 3_600_000, 100_000)
    expect(await show(team)).toMatchObject(expected)
    const { json: stats } = await service.call('/api/v1/stats?budgets=true', { key: team.key })
    expect(stats.budgets).toEqual(await show(team))
    expect((await service.call('/api/v1/stats', { key: team.key })).json).not.toHaveProperty('budgets')
  })

  it('are replaced all at once, or not at all', async () => {
    const team = await newTeam()
    const [first] = (await put(team, [DAILY])).json.budgets
    const refused = await put(team, [
      { ...DAILY, alias: 'new' },
      { ...DAILY, amount: '-1' },
    ])
    expect([refused.status, refused.json.errors[0].pointer]).toEqual([422, '/budgets/1/amount'])
    expect((await show(team)).map(({ id }: { id: string }) => id)).toEqual([first.id])
    const next = await put(team, [
      { ...DAILY, alias: 'new' },
      { ...DAILY, amount: '10.00', thresholds: [7] },
    ])
    expect(next.json.budgets.map(({ alias, thresholds }: never) => [alias, thresholds])).toEqual([
      ['new', [50, 80, 100]],
      [null, [7]],
    ])
    expect(next.json.budgets[1].id).toBe(first.id)
    expect((await service.call(PATH, { method: 'DELETE', key: team.key })).json).toEqual({ deleted: 2 })
    expect(await show(team)).toEqual([])
  })

  it('of a project are not seen, changed or deleted by another one', async () => {
    const [team, stranger] = [await newTeam(), await newTeam()]
    await put(team, [DAILY])
    await put(stranger, [])
    expect((await service.call(PATH, { method: 'DELETE', key: stranger.key })).json).toEqual({ deleted: 0 })
    expect([(await show(team)).length, await show(stranger)]).toEqual([1, []])
  })
})

type Told = { readonly threshold: number; readonly spent: string; readonly budget: { readonly id: string } }
const toldBy = (hook: Receiver): Told[] =>
  hook.received
    .map(({ body }) => JSON.parse(body))
    .flatMap(({ type, data }) => (type === 'budget.threshold' ? [data] : []))
const thresholds = (hook: Receiver) => toldBy(hook).map(({ threshold }) => threshold)

describe('a threshold', () => {
  it('is told to the webhook once, by whichever instance and after a restart, between changes of aliases', async () => {
    const [team, hook] = [await newTeam(), await startReceiver()]
    const third = await start()
    try {
      const json = { url: hook.url }
      const { secret } = (await service.call('/api/v1/webhook', { method: 'PUT', key: team.key, json })).json
      const [set] = (await put(team, [DAILY])).json.budgets
      await spend(team, '4.999999999999')
      await spend(team, '0.000000000001', {}, other)
      await eventually(() => expect(thresholds(hook)).toEqual([50]), CHECKED_MS_MAX)
      const bound = { alias: 'summarizer', model: 'openai:gpt-4o-mini' }
      await service.call('/api/v1/aliases/bind', { key: team.key, json: bound })
      await third.close()
      await spend(team, '5.5', {}, other)
      await eventually(() => expect(thresholds(hook)).toEqual([50, 80, 100]), CHECKED_MS_MAX)
      const bodies = hook.received.map(({ body }) => JSON.parse(body).type)
      expect(bodies).toEqual(['budget.threshold', 'aliases.changed', 'budget.threshold', 'budget.threshold'])
      expect(hook.received.every((one) => verifyWebhook(secret, one))).toBe(true)
      expect(toldBy(hook)[2]).toMatchObject({
        ...{ project_id: team.id, threshold: 100, spent: '10.500000000000' },
        ...{ period_start: set.period_start, period_end: set.period_end },
        budget: { id: set.id, amount: '10.000000000000', tz: ZONE, thresholds: [50, 80, 100] },
      })
      expect((await show(team))[0].crossings).toMatchObject([{ threshold: 50 }, { threshold: 80 }, { threshold: 100 }])
      // Everything is checked once more by an instance that knows nothing, and nothing is told again.
      await service.sql`update budget_heads set checked_at = null, seen = null where project_id = ${team.id}`
      const fourth = await start()
      await eventually(async () => {
        const [head] = await service.sql`select seen from budget_heads where project_id = ${team.id}`
        expect(head?.['seen']).not.toBeNull()
      }, CHECKED_MS_MAX)
      await fourth.close()
      const kept = await service.sql`select 1 from webhook_deliveries where project_id = ${team.id}`
      expect([thresholds(hook).length, kept.length]).toEqual([3, 0])
    } finally {
      await hook.close()
    }
  })

  it('is counted in the metrics', async () => {
    const team = await newTeam()
    await put(team, [{ ...DAILY, thresholds: [40] }])
    await spend(team, '4')
    await eventually(async () => expect((await show(team))[0].crossings.length).toBe(1), CHECKED_MS_MAX)
    // No other budget here ends below a half of it.
    const { countReached } = createCheckingStore(service.sql)
    await eventually(async () => expect((await countReached(new Date()))['below_50']).toBe(1), CHECKED_MS_MAX)
    expect((await service.call('/metrics', { key: null })).text).toMatch(/^llmring_budgets\{reached="below_50"\} \d+$/m)
  })
})

describe('a check', () => {
  const prepare = async (cost = '9') => {
    const team = { id: randomUUID() as ProjectId }
    const store = {
      ...createBudgetStore({ ...service.service.resources.database }),
      ...createCheckingStore(service.sql),
    }
    const transact = createTransact(service.sql)
    const told: number[] = []
    const budget = {
      alias: null,
      profile: null,
      amount: '10',
      period: 'day',
      zone: ZONE,
      thresholds: [50, 80],
    } as const
    await transact(async (tx) => {
      await store.lockList(tx, team.id, null, new Date())
      await store.replace(tx, team.id, [{ ...budget, id: randomUUID(), createdAt: new Date() }])
    })
    const spending: Pick<Spending, 'periodAt' | 'sum'> = {
      periodAt: partAt,
      sum: async (_id, periods) => periods.map(() => [{ alias: '', profile: '', cost }]),
    }
    const check = (onTell: () => void = () => undefined) =>
      checkProject(
        {
          ...{ transact, store, spending, clock: Date.now },
          tell: async (_tx, { data }) => {
            onTell()
            told.push((data as Told).threshold)
          },
        },
        team.id,
        'seen',
      )
    return { id: team.id, check, told }
  }

  it('of eight at once tells once', async () => {
    const { check, told } = await prepare()
    await Promise.all(Array.from({ length: 8 }, () => check()))
    expect(told).toEqual([50, 80])
  })

  it('that ends before its commit tells nothing, and the next one tells it all', async () => {
    const { id, check, told } = await prepare(decimalFromPico(9n * 10n ** 12n))
    let calls = 0
    const breaking = () => {
      calls += 1
      if (calls === 2) throw new Error('broken off')
    }
    await expect(check(breaking)).rejects.toThrow('broken off')
    const rows = await service.sql`select 1 from budget_crossings where project_id = ${id}`
    expect(rows.length).toBe(0)
    told.length = 0
    await check()
    expect(told).toEqual([50, 80])
  })

  it('forgets crossings of periods that are long over', async () => {
    const { id, check } = await prepare()
    await service.sql`
      insert into budget_crossings values (${id}, ${randomUUID()}, now() - interval '200 days', 50, now() - interval '199 days', now(), 1)`
    await check()
    const rows = await service.sql`select threshold from budget_crossings where project_id = ${id} order by 1`
    expect(rows.map(({ threshold }) => threshold)).toEqual([50, 80])
  })
})

describe('what is held of a project', () => {
  it('is exported page by page, and erased chunk by chunk, and a stranger keeps its own', async () => {
    const { sql, orm } = service.service.resources.database
    const store = createBudgetStore({ sql, orm })
    const [team, stranger] = [await newTeam(), await newTeam()]
    for (const one of [team, stranger]) {
      const [{ id }] = (await put(one, [DAILY])).json.budgets
      await sql`
        insert into budget_crossings
        select ${one.id}, ${id}, date_trunc('day', now()) - n * interval '1 day', 50, now(), now(), 1 from generate_series(1, 5) as n`
    }
    const lines: string[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<typeof store.exportCrossings>> = await store.exportCrossings(team.id, after, 2)
      lines.push(...page.rows)
      after = page.next
    } while (after !== null)
    expect(new Set(lines).size).toBe(5)
    const exported = (await service.call(`/api/v1/admin/projects/${team.id}/export`, { key: OPERATOR_KEY })).text
    const types = exported.split('\n').map((line) => /"type":"(budget\w*)"/.exec(line)?.[1])
    expect(types.filter((type) => type === 'budget_crossing').length).toBe(5)
    expect([types.includes('budget'), types.includes('budget_list')]).toEqual([true, true])
    const path = `/api/v1/admin/projects/${team.id}`
    const { json } = await service.call(path, { method: 'DELETE', key: OPERATOR_KEY })
    expect(json.rows.budgets).toBe(7)
    const [left] = await sql`
      select (select count(*) from budgets where project_id = ${stranger.id})::int as budgets,
        (select count(*) from budget_crossings where project_id = ${stranger.id})::int as crossings`
    expect(left).toEqual({ budgets: 1, crossings: 5 })
  })
})
