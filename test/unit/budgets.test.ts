import { describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import type { Tx } from '../../src/db/transact.js'
import type { Budget, BudgetTerms, Crossing, Span, Spending, SpentRow } from '../../src/features/budgets/budget.js'
import { checkBudgets } from '../../src/features/budgets/check-budgets.js'
import { checkProject } from '../../src/features/budgets/check-project.js'
import { judgeBudget } from '../../src/features/budgets/judge-budget.js'
import { BUDGET_LIMITS } from '../../src/features/budgets/limits.js'
import { putBudgets } from '../../src/features/budgets/put-budgets.js'
import { isZone, partAt } from '../../src/features/usage/stats/calendar.js'

const PROJECT = '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11' as ProjectId
const TERMS: BudgetTerms = {
  ...{ alias: null, profile: null, amount: '10', period: 'day', zone: 'UTC', thresholds: [50, 80, 100] },
}
const spent = (cost: string, alias = '', profile = ''): SpentRow => ({ alias, profile, cost })
const judge = (changes: Partial<BudgetTerms>, rows: readonly SpentRow[]) =>
  judgeBudget({ ...TERMS, ...changes, amount: changes.amount ?? '10.000000000000' }, rows)

describe('a budget', () => {
  it('is reached at exactly its share, and not a millionth of a millionth before', () => {
    expect(judge({}, [spent('4.999999999999')])).toMatchObject({ left: '5.000000000001', reached: [] })
    expect(judge({}, [spent('4.999999999999'), spent('0.000000000001', 'a')])).toMatchObject({ reached: [50] })
    const third = { amount: '0.000000000003', thresholds: [33, 34] }
    expect(judge(third, [spent('0.000000000001')]).reached).toEqual([33])
  })

  it('may be overspent, by more digits than a cost has', () => {
    const much = judge({ thresholds: [50, 1000] }, [spent('900000000000000000000.000000000001')])
    expect(much.left).toBe('-899999999999999999990.000000000001')
    expect(much.reached).toEqual([50, 1000])
  })

  it('of an alias or a profile counts that alone, and says what may be its own', () => {
    const rows = [spent('1', 'a', 'p'), spent('2', 'a', 'q'), spent('4', '', 'p'), spent('8', '(other)', 'p')]
    expect(judge({ alias: 'a' }, rows)).toMatchObject({ spent: '3.000000000000', unattributed: '8.000000000000' })
    expect(judge({ profile: 'p' }, rows)).toMatchObject({ spent: '13.000000000000', unattributed: '0.000000000000' })
    expect(judge({ alias: 'a', profile: 'q' }, rows)).toMatchObject({
      ...{ spent: '2.000000000000', unattributed: '0.000000000000' },
    })
    expect(judge({}, rows)).toMatchObject({ spent: '15.000000000000', unattributed: '0.000000000000' })
  })
})

describe('the period of a moment', () => {
  const at = (text: string, period: 'day' | 'week' | 'month', zone = 'UTC') => {
    const { fromMs, untilMs } = partAt(Date.parse(text), period, zone)
    return [fromMs, untilMs].map((ms) => new Date(ms).toISOString().slice(0, 16))
  }
  it('begins and ends at midnight of its zone, weeks on a Monday', () => {
    expect(at('2026-03-15T12:00:00Z', 'day')).toEqual(['2026-03-15T00:00', '2026-03-16T00:00'])
    expect(at('2026-03-15T12:00:00Z', 'week')).toEqual(['2026-03-09T00:00', '2026-03-16T00:00'])
    expect(at('2026-02-28T18:30:00Z', 'month', 'Asia/Kolkata')).toEqual(['2026-02-28T18:30', '2026-03-31T18:30'])
    expect(at('2026-02-28T18:29:59Z', 'month', 'Asia/Kolkata')).toEqual(['2026-01-31T18:30', '2026-02-28T18:30'])
  })

  it('is as long as the zone makes it', () => {
    expect(at('2026-03-29T12:00:00Z', 'day', 'Europe/Berlin')).toEqual(['2026-03-28T23:00', '2026-03-29T22:00'])
    expect(at('2026-10-25T12:00:00Z', 'day', 'Europe/Berlin')).toEqual(['2026-10-24T22:00', '2026-10-25T23:00'])
    // Samoa had no 30 December in 2011.
    expect(at('2011-12-30T09:59:00Z', 'day', 'Pacific/Apia')).toEqual(['2011-12-29T10:00', '2011-12-30T10:00'])
    expect(at('2011-12-30T10:00:00Z', 'day', 'Pacific/Apia')).toEqual(['2011-12-30T10:00', '2011-12-31T10:00'])
  })
})

const TX = {} as Tx

describe('setting budgets', () => {
  const put = async (budgets: readonly Partial<BudgetTerms>[], before: readonly Budget[] = []) => {
    let set: readonly Budget[] = []
    const made: string[] = []
    const store = {
      lockList: async () => before,
      replace: async (_tx: Tx, _projectId: ProjectId, next: readonly Budget[]) => {
        set = next
      },
    }
    const newId = () => `made-${made.push('')}`
    const deps = { transact: (work: (tx: Tx) => Promise<void>) => work(TX), store, isZone, clock: () => 7, newId }
    const terms = budgets.map((one) => ({ ...TERMS, ...one }))
    await putBudgets(deps as Parameters<typeof putBudgets>[0], { projectId: PROJECT, keyId: null, budgets: terms })
    return set
  }

  it('keeps those that stay what they were, whatever their thresholds, and knows amounts in any spelling', async () => {
    const before = await put([{}, { alias: 'a' }])
    expect(before.map(({ id, amount }) => [id, amount])).toEqual([
      ['made-1', '10.000000000000'],
      ['made-2', '10.000000000000'],
    ])
    const after = await put([{ alias: 'a', amount: '10.00', thresholds: [90, 20] }, { amount: '11' }], before)
    expect(after.map(({ id, thresholds }) => [id, thresholds])).toEqual([
      ['made-2', [20, 90]],
      ['made-1', [50, 80, 100]],
    ])
    expect(after[1]?.amount).toBe('11.000000000000')
  })

  it.each([
    ['/budgets/1/period', [{}, { amount: '11' }]],
    ['/budgets/0/amount', [{ amount: '0.000000000000' }]],
    ['/budgets/0/amount', [{ amount: '1000000000000.000000000001' }]],
    ['/budgets/1/tz', [{}, { zone: 'Mars/Olympus' }]],
    ['/budgets/0/thresholds', [{ thresholds: [50, 50] }]],
  ])('refuses %s of a list that it cannot keep', async (pointer, budgets) => {
    await expect(put(budgets)).rejects.toMatchObject({ extras: { errors: [{ pointer }] } })
  })
})

const NIGHT = Date.parse('2026-03-16T00:00:30.000Z')
const DAY = 86_400_000

describe('a check', () => {
  const budget: Budget = { ...TERMS, id: 'budget', amount: '10.000000000000', createdAt: new Date(0) }
  const check = async (
    checkedAt: Date | null,
    { edition = 1, cost = '9', budgets = [budget] }: { edition?: number; cost?: string; budgets?: Budget[] } = {},
  ) => {
    const [told, marked, summed]: [Crossing['threshold'][], string[], Span[]] = [[], [], []]
    const deps = {
      transact: (work: (tx: Tx) => Promise<void>) => work(TX),
      clock: () => NIGHT,
      store: {
        list: async () => ({ edition: 1, checkedAt, budgets }),
        lockEdition: async () => edition,
        addCrossings: async (_tx: Tx, _projectId: ProjectId, found: readonly Crossing[]) => new Set(found.keys()),
        markChecked: async (_tx: Tx, _projectId: ProjectId, { seen }: { readonly seen: string }) =>
          void marked.push(seen),
      },
      spending: {
        periodAt: partAt,
        sum: async (_projectId: ProjectId, periods: readonly Span[]) => {
          summed.push(...periods)
          return periods.map(() => [spent(cost)])
        },
      },
      tell: async (_tx: Tx, event: { readonly data: object }) => void told.push((event.data as Crossing).threshold),
    }
    await checkProject(deps as Parameters<typeof checkProject>[0], PROJECT, 'seen')
    return { told, marked, days: summed.map(({ fromMs }) => new Date(fromMs).toISOString().slice(0, 10)) }
  }

  it('tells of what is reached, the lowest first', async () => {
    expect(await check(null)).toEqual({ told: [50, 80], marked: ['seen'], days: ['2026-03-16'] })
  })

  it('looks at the period before as long as events of it may be late, unless the budget is newer', async () => {
    expect((await check(new Date(NIGHT - 10_000))).days).toEqual(['2026-03-15', '2026-03-16'])
    expect((await check(new Date(NIGHT - 3 * DAY))).days).toEqual(['2026-03-12', '2026-03-16'])
    const fresh = { ...budget, createdAt: new Date(NIGHT - 20_000) }
    expect((await check(new Date(NIGHT - 10_000), { budgets: [fresh] })).days).toEqual(['2026-03-16'])
  })

  it('writes nothing if other budgets were set meanwhile, and adds each period up once', async () => {
    expect(await check(null, { edition: 2 })).toEqual({ told: [], marked: [], days: ['2026-03-16'] })
    const two = [budget, { ...budget, id: 'other', alias: 'a' }]
    expect(await check(null, { budgets: two })).toMatchObject({ told: [50, 80], days: ['2026-03-16'] })
  })
})

describe('looking for projects to check', () => {
  const ids = [...'abc'].map((letter) => `0000000${letter}-0000-0000-0000-000000000000` as ProjectId)
  const sweep = async (heads: readonly { seen: string | null; ageMs: number | null }[], failing?: ProjectId) => {
    const checked: string[] = []
    const stopping = new AbortController()
    const marks: Spending['marks'] = async (wanted) => new Map(wanted.slice(0, 1).map((id) => [id, 'new']))
    const done = checkBudgets({
      store: {
        pageOfHeads: async (after) =>
          after !== null
            ? []
            : heads.map(({ seen, ageMs }, index) => ({
                ...{ projectId: ids[index] as ProjectId, seen },
                checkedAt: ageMs === null ? null : new Date(NIGHT - ageMs),
              })),
      },
      marks,
      check: async (projectId, seen) => {
        if (projectId === failing) throw new Error('cannot be checked')
        checked.push(`${projectId.slice(7, 8)} ${seen}`)
      },
      ...{ clock: () => NIGHT, stopping: stopping.signal },
    })
    return { checked, done }
  }

  it('takes those with other usage than before, those never checked, and those checked long ago', async () => {
    const { checked, done } = await sweep([
      { seen: 'old', ageMs: 0 },
      { seen: 'quiet', ageMs: BUDGET_LIMITS.checkedMsMax },
      { seen: 'quiet', ageMs: 1_000 },
    ])
    await done
    expect(checked).toEqual(['a new', 'b quiet'])
    const again = await sweep([
      { seen: 'new', ageMs: 0 },
      { seen: null, ageMs: null },
    ])
    await again.done
    expect(again.checked).toEqual(['b quiet'])
  })

  it('goes on behind one that cannot be checked, and fails then', async () => {
    const { checked, done } = await sweep(
      [
        { seen: null, ageMs: 0 },
        { seen: null, ageMs: 0 },
      ],
      ids[0],
    )
    await expect(done).rejects.toThrow('cannot be checked')
    expect(checked).toEqual(['b quiet'])
  })
})
