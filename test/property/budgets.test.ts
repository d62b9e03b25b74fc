import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BUDGET_PERIODS } from '../../src/features/budgets/budget.js'
import { judgeBudget } from '../../src/features/budgets/judge-budget.js'
import { openRollups } from '../../src/features/usage/feature.js'
import { foldRollups } from '../../src/features/usage/rollups/fold-rollups.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { EVENT, newProject, openUsage, type UsageApp } from '../support/feature-app.js'

let database: TestDatabase
let app: UsageApp

const NOW = Date.parse('2026-04-20T12:00:00Z')
const FROM = Date.parse('2026-03-20T00:00:00Z')
const DAY_MS = 86_400_000

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
  app.now = NOW
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

const name = fc.option(fc.constantFrom('a', 'é"', '__proto__'))
const time = fc.oneof(
  fc.integer({ min: FROM, max: NOW }),
  // Around the nights in which the clocks of Berlin and of Lord Howe are moved.
  fc.integer({ min: -4, max: 4 }).map((hours) => Date.parse('2026-03-29T01:00Z') + hours * 3_600_000),
  fc.integer({ min: -40, max: 40 }).map((minutes) => Date.parse('2026-04-04T15:00Z') + minutes * 60_000),
)
const event = fc.record({ time, alias: name, profile: name, cost: fc.bigInt({ min: 1n, max: 10n ** 20n }) })
const budget = fc.record({
  ...{ alias: name, profile: name, at: time, period: fc.constantFrom(...BUDGET_PERIODS) },
  zone: fc.constantFrom('UTC', 'Asia/Kolkata', 'Asia/Kathmandu', 'Europe/Berlin', 'Australia/Lord_Howe', 'Etc/GMT+12'),
})
type Asked = { alias: string | null; profile: string | null; at: number; period: string; zone: string }

const decimal = (pico: bigint) =>
  String(pico)
    .padStart(13, '0')
    .replace(/(\d{12})$/, '.$1')

/** Adds up the rows themselves; Postgres knows the zones, too. */
async function ofRows(project: string, { alias, profile, at, period, zone }: Asked): Promise<string> {
  const [row] = await app.database.sql<{ spent: string }[]>`
    select coalesce(sum(cost), 0::numeric(30, 12))::text as spent from usage_logs
    where project_id = ${project} and (${alias}::text is null or alias = ${alias}) and (${profile}::text is null or profile = ${profile})
      and date_trunc(${period}::text, logged_at, ${zone}::text) =
        date_trunc(${period}::text, to_timestamp(${at}::float8 / 1000), ${zone}::text)`
  return row?.spent ?? ''
}

it('what budgets count as spent is the sum of the rows, in every zone and period, folded or not, to the last digit', async () => {
  const rollups = openRollups(app.database.sql)
  const fold = () => foldRollups({ clock: () => NOW + DAY_MS, ...rollups, rowsMax: 50 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 30, size: 'max' }),
      fc.array(budget, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0, 1, 2),
      async (events, budgets, folds) => {
        const project = newProject()
        const json = events.map(({ time: ms, cost, ...sent }) => ({
          ...{ ...EVENT, ...sent, cost: decimal(cost), timestamp: new Date(ms).toISOString() },
        }))
        const half = Math.floor(json.length / 2)
        const send = async (list: object[]) => {
          if (list.length === 0) return
          expect((await app.call('/api/v1/log/batch', { project, json: list })).status).toBe(200)
        }
        await send(json.slice(0, half))
        if (folds > 0) await fold()
        await send(json.slice(half))
        if (folds > 1) await fold()
        const { spending } = app.usage
        const periods = budgets.map(({ at, period, zone }) => spending.periodAt(at, period, zone))
        const sums = await spending.sum(project, periods)
        for (const [index, one] of budgets.entries()) {
          const { spent, unattributed, reached } = judgeBudget(
            { ...one, amount: '0.000000000001', thresholds: [100] },
            sums[index] ?? [],
          )
          const rows = await ofRows(project, one)
          expect([spent, unattributed]).toEqual([rows, '0.000000000000'])
          expect(reached).toEqual(Number(rows) > 0 ? [100] : [])
        }
      },
    ),
    { numRuns: Number(process.env['STATS_RUNS'] ?? 25) },
  )
}, 180_000)
