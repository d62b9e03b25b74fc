import { expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { usageLogs } from '../../src/db/tables/usage.js'
import type { UsageEvent, UsageRow } from '../../src/features/usage/event.js'
import { COMMON_COLUMNS, groupAlike } from '../../src/features/usage/record/group-alike.js'

const PROJECT = '019a0000-0000-7000-8000-000000000001' as ProjectId
const OTHER = '019a0000-0000-7000-8000-000000000002' as ProjectId
const PRICES = { input: '1' }

const row = (changes: Partial<UsageRow> = {}, names: Partial<UsageEvent> = {}): UsageRow => ({
  ...{ projectId: PROJECT, keyId: null, id: 'row', loggedAt: '2026-03-15T12:00:00.000Z', cost: '0' },
  ...{ computedCost: null, reportedCost: null, status: 'priced', registryVersion: 'openai@7', unitPrices: PRICES },
  event: {
    ...{ provider: 'openai', model: 'gpt-4o', alias: null, profile: null, origin: null, idAtOrigin: null },
    ...{ conversationId: null, tokens: { input_tokens: 1, output_tokens: 1 }, latencyMs: null, reportedPico: null },
    parts: { input: 1, cached_input: 0, cache_write_5m: 0, cache_write_1h: 0, output: 1, thinking: 0 } as never,
    ...{ metadata: null, ...names },
  },
  ...changes,
})
const placesOf = (rows: readonly UsageRow[]) => groupAlike(rows, () => 0).places

it('rows that differ in nothing that is common share a place, wherever they stand', () => {
  const other = row({}, { model: 'o3' })
  const own = row({ id: 'own', cost: '1', loggedAt: '2026-03-15T12:59:59.999Z' }, { latencyMs: 7, metadata: '{}' })
  expect(placesOf([row(), other, own, other])).toEqual([1, 2, 1, 2])
})

it('rows that differ in anything that is common do not', () => {
  const others = [
    row({ projectId: OTHER }),
    row({ keyId: OTHER }),
    row({ status: 'free' }),
    row({ registryVersion: 'openai@8' }),
    row({ unitPrices: null }),
    row({ unitPrices: { input: '2' } }),
    row({ loggedAt: '2026-03-15T13:00:00.000Z' }),
    row({}, { provider: 'other' }),
    row({}, { model: 'other' }),
    row({}, { alias: 'other' }),
    row({}, { profile: 'other' }),
    row({}, { origin: 'other' }),
    row({}, { tokens: { input_tokens: 1, output_tokens: 1, input_tokens_include_cache: false } }),
  ]
  const rows = [row(), ...others]
  const { common, places } = groupAlike([...rows, ...rows], () => 0)
  expect(places).toEqual([...rows.keys(), ...rows.keys()].map((place) => place + 1))
  expect(common.map((one) => one.row)).toEqual(rows)
})

it('a name is told from its neighbour, and an absent one from one that is empty', () => {
  const named = [
    row({}, { alias: 'a' }),
    row({}, { profile: 'a' }),
    row({}, { origin: 'a' }),
    row({}, { alias: '' }),
    row(),
    row({}, { provider: 'ab', model: 'c' }),
    row({}, { provider: 'a', model: 'bc' }),
  ]
  expect(placesOf(named)).toEqual([1, 2, 3, 4, 5, 6, 7])
})

it('rows of the same names with more prices than are compared stand for themselves', () => {
  const rows = Array.from({ length: 20 }, (_, at) => row({ unitPrices: { input: String(at) } }))
  const { common, places } = groupAlike([...rows, ...rows], () => 0)
  const meant = [...rows, ...rows].map(({ unitPrices }) => unitPrices)
  expect(places.map((place) => common[place - 1]?.row.unitPrices)).toEqual(meant)
})

it('what is one too many is asked once of rows that are alike', () => {
  const asked: UsageRow[] = []
  const rows = [row(), row(), row({}, { model: 'o3' }), row()]
  const { common } = groupAlike(rows, (one) => {
    asked.push(one)
    return one.event.model === 'o3' ? 2 : 0
  })
  expect(asked).toEqual([rows[0], rows[2]])
  expect(common.map(({ fold }) => fold)).toEqual([0, 2])
})

it('every common column is one of the table', () => {
  const names = Object.values(usageLogs).flatMap((column) => ('name' in column ? [column.name] : []))
  expect(COMMON_COLUMNS.filter((name) => !names.includes(name))).toEqual([])
})
