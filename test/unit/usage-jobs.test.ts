import { describe, expect, it } from 'vitest'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { forgetMarks } from '../../src/features/usage/record/forget-marks.js'
import { checkRollups, type DayDifferences } from '../../src/features/usage/rollups/check-rollups.js'
import { exportTexts } from '../../src/features/usage/rollups/export-texts.js'
import { foldRollups } from '../../src/features/usage/rollups/fold-rollups.js'
import type { RollupDay } from '../../src/features/usage/rollups/rollup-store.js'

const NOW = Date.parse('2026-03-15T12:00:00Z')
const DAY_MS = 86_400_000

/** Takes what is left in chunks, and remembers with what it was asked. */
function chunksOf(total: number) {
  let left = total
  const asked: (readonly [beforeMs: number, rowsMax: number])[] = []
  return {
    asked,
    take: async (beforeMs: number, rowsMax: number) => {
      asked.push([beforeMs, rowsMax])
      const taken = Math.min(left, rowsMax)
      left -= taken
      return taken
    },
  }
}

describe('folding rollups', () => {
  it.each([
    [0, 1],
    [4, 1],
    [5, 2],
    [12, 3],
  ])('takes %i sums away in %i statements of five, each with the same end', async (total, statements) => {
    const { asked, take } = chunksOf(total)
    const latencies = chunksOf(total)
    const deps = {
      clock: () => NOW,
      fold: take,
      foldLatencies: (rowsMax: number) => latencies.take(NOW, rowsMax),
      rowsMax: 5,
    }
    expect(await foldRollups(deps)).toBe(total)
    expect(asked).toEqual(Array(statements).fill([NOW - USAGE_LIMITS.foldAfterMs, 5]))
    expect(latencies.asked).toEqual(Array(statements).fill([NOW, 5]))
  })

  it('leaves the quarter that is not over, and a moment more for its last writers', () => {
    expect(USAGE_LIMITS.foldAfterMs).toBeGreaterThan(900_000)
    expect(USAGE_LIMITS.foldAfterMs).toBeLessThan(2 * 900_000)
  })

  it('ends with the first failure: the next turn goes on', async () => {
    const fold = () => Promise.reject(new Error('away'))
    await expect(foldRollups({ clock: () => NOW, fold, foldLatencies: fold, rowsMax: 5 })).rejects.toThrow('away')
  })
})

describe('forgetting idempotency keys', () => {
  it('takes those that are older than the days, in bounded statements', async () => {
    const { asked, take } = chunksOf(7)
    expect(await forgetMarks({ clock: () => NOW, purge: take, days: 32, rowsMax: 5 })).toBe(7)
    expect(asked).toEqual(Array(2).fill([NOW - 32 * DAY_MS, 5]))
  })
})

describe('checking rollups', () => {
  const DAYS: Readonly<Record<string, readonly string[]>> = {
    a: ['2026-03-14', '2026-03-15'],
    b: [],
    c: ['2026-01-01'],
  }
  const projects = Object.keys(DAYS)
  const check = async (differing: readonly string[]) => {
    const looked: RollupDay[] = []
    const found: DayDifferences[] = []
    const days = checkRollups({
      nextProject: async (after) => projects[after === null ? 0 : projects.indexOf(after) + 1],
      listDays: async (id) => [...(DAYS[id] ?? [])],
      settle: async (day) => {
        looked.push(day)
        return { ofRows: differing.includes(day.day) ? 2 : 0, ofGrains: 0, ofLatencies: 0 }
      },
    })
    for await (const day of days) found.push(day)
    return { looked, found }
  }

  it('looks at every day of every project once, in order', async () => {
    const { looked, found } = await check([])
    expect(looked.map(({ projectId, day }) => `${projectId} ${day}`)).toEqual([
      ...['a 2026-03-14', 'a 2026-03-15'],
      'c 2026-01-01',
    ])
    expect(found).toEqual([])
  })

  it('gives the days that differ, with how many of their sums', async () => {
    expect((await check(['2026-03-15', '2026-01-01'])).found).toEqual([
      { projectId: 'a', day: '2026-03-15', ofRows: 2, ofGrains: 0, ofLatencies: 0 },
      { projectId: 'c', day: '2026-01-01', ofRows: 2, ofGrains: 0, ofLatencies: 0 },
    ])
  })
})

describe('a page of exported texts', () => {
  const page = (places: readonly string[]) =>
    exportTexts(async () => places.map((place) => ({ place, text: `{"at":"${place}"}` })), 'p' as never, null, 2)

  it('goes on behind its last row, and ends where there is none', async () => {
    expect(await page(['1', '2'])).toEqual({ rows: ['{"at":"1"}', '{"at":"2"}'], next: '2' })
    expect(await page([])).toEqual({ rows: [], next: null })
  })
})
