import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GRAINS, planReads, type ReadPlan } from '../../src/features/usage/stats/read-plan.js'

const at = (text: string) => Date.parse(`${text}Z`)
const QUARTER = GRAINS.quarter
const days = (first: string, count: number) =>
  Array.from({ length: count + 1 }, (_, day) => at(first) + day * GRAINS.day)
const read = ({ segments }: ReadPlan) =>
  segments.reduce((sum, { grain, fromMs, untilMs }) => sum + (untilMs - fromMs) / GRAINS[grain], 0)

it('30 days in UTC are 30 sums of each combination', () => {
  const plan = planReads(days('2026-03-01T00:00', 30))
  expect(read(plan)).toBe(30)
  expect(plan).toMatchObject({ rows: [], splitMs: [] })
})

it('30 days in India are 8 for each midnight, and not 96', () => {
  expect(read(planReads(days('2026-02-28T18:30', 30)))).toBeLessThanOrEqual(31 * 8)
})

it('a month in India is little more than one in UTC', () => {
  expect(read(planReads([at('2026-02-28T18:30'), at('2026-03-31T18:30')]))).toBeLessThanOrEqual(31 + 2 * 8)
})

it('a stretch within a quarter of an hour is rows alone', () => {
  const plan = planReads([at('2026-03-01T10:01'), at('2026-03-01T10:02')])
  expect(plan.segments).toEqual([])
  expect(plan.rows).toEqual([{ fromMs: at('2026-03-01T10:01'), untilMs: at('2026-03-01T10:02'), part: 0 }])
})

describe('any bounds', () => {
  const START = at('2026-03-01T00:00')
  const minute = fc.integer({ min: 0, max: 4 * 1_440 })
  const bounds = fc.oneof(
    fc.uniqueArray(minute, { minLength: 2, maxLength: 8 }),
    fc.uniqueArray(
      minute.map((m) => m - (m % 15)),
      { minLength: 2, maxLength: 8 },
    ),
  )

  it('count each moment in its own part once, of folded sums, of others and of rows', () => {
    fc.assert(
      fc.property(bounds, (minutes) => {
        const boundsMs = minutes.sort((a, b) => a - b).map((m) => START + m * 60_000)
        const plan = planReads(boundsMs)
        const around = boundsMs.flatMap((ms) => [-1, 0, 1].map((minutes) => ms + minutes * 60_000))
        const quarters = Array.from({ length: 7 * 96 }, (_, at) => START - GRAINS.day + at * QUARTER + 7 * 60_000)
        for (const ms of [...around, ...quarters]) {
          const part = boundsMs.findLastIndex((bound) => bound <= ms)
          const own = part >= 0 && part < boundsMs.length - 1 ? { [part]: 1 } : {}
          for (const isFolded of [true, false]) expect(countedIn(plan, boundsMs, ms, isFolded)).toEqual(own)
        }
      }),
      { numRuns: 40 },
    )
  })
})

/** How often an event of a minute is counted in which part, as the statement does it. */
function countedIn(plan: ReadPlan, boundsMs: readonly number[], ms: number, isFolded: boolean): Record<number, number> {
  const counts: Record<number, number> = {}
  const add = (part: number | null, by: number) => {
    if (part !== null) counts[part] = (counts[part] ?? 0) + by
  }
  for (const { grain, fromMs, untilMs, plus, minus } of isFolded ? plan.segments : []) {
    const bucket = Math.floor(ms / GRAINS[grain]) * GRAINS[grain]
    if (bucket < fromMs || bucket >= untilMs) continue
    add(plus, 1)
    add(minus, -1)
  }
  const quarter = Math.floor(ms / QUARTER) * QUARTER
  const isRead = quarter >= plan.quarters.fromMs && quarter < plan.quarters.untilMs && !plan.splitMs.includes(quarter)
  if (!isFolded && isRead)
    add(
      boundsMs.findLastIndex((bound) => bound <= quarter),
      1,
    )
  for (const { fromMs, untilMs, part } of plan.rows) if (ms >= fromMs && ms < untilMs) add(part, 1)
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}
