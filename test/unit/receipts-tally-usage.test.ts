import { describe, expect, it } from 'vitest'
import { canonicalBytesMax, canonicalJson } from '../../src/core/json/index.js'
import { buildBatchReceipt } from '../../src/core/proof/index.js'
import type { LoggedUsage } from '../../src/features/receipts/batch/logged-usage.js'
import { createTally } from '../../src/features/receipts/batch/tally-usage.js'
import { BATCH_LIMITS } from '../../src/features/receipts/limits.js'
import { AppError } from '../../src/platform/errors.js'
import { loggedUsage } from './receipts-usage-fixtures.js'

function tallyOf(rows: Iterable<LoggedUsage>) {
  const tally = createTally()
  for (const row of rows) tally.add(row)
  return tally.totals()
}

describe('the sums of calls', () => {
  it('are exact to the last pico-dollar, where doubles are not', () => {
    const costs = ['0.100000000000', '0.200000000000', '0.000000000001', '999999999999.999999999999']
    const { cost, count } = tallyOf(costs.map((one, at) => loggedUsage(at, { cost: one })))
    expect([count, cost]).toEqual([4, '1000000000000.300000000000'])
  })

  it('count every kind of token that is known, and those that are not as 0', () => {
    const rows = [
      loggedUsage(0, { inputTokens: null, outputTokens: null, cachedInputTokens: null }),
      loggedUsage(1, { cacheReadInputTokens: 5, reasoningTokens: 7 }),
      loggedUsage(2, { cacheWrite5mInputTokens: 1, cacheWrite1hInputTokens: 2, cacheReadInputTokens: 6 }),
    ]
    expect(tallyOf(rows).tokens).toEqual({
      ...{ input: 2_400, output: 600, cached_input: 400, cache_read_input: 11, reasoning: 7 },
      ...{ cache_write_5m_input: 1, cache_write_1h_input: 2 },
    })
    expect(tallyOf(rows.slice(0, 1)).tokens).toEqual({ input: 0, output: 0, cached_input: 0 })
  })

  it('are refused where a count is beyond what JSON readers agree on', () => {
    const most = Number.MAX_SAFE_INTEGER
    const rows = [
      loggedUsage(0, { inputTokens: most, outputTokens: 0 }),
      loggedUsage(1, { inputTokens: 0, outputTokens: 0 }),
    ]
    expect(tallyOf(rows).tokens).toMatchObject({ input: most })
    const more = [...rows, loggedUsage(2, { inputTokens: 1, outputTokens: 0 })]
    expect(() => tallyOf(more)).toThrow(AppError)
    expect(() => tallyOf(more)).toThrow(/choose fewer/)
  })

  it.each([
    ['unknown_model', 1],
    ['no_price', 1],
    ['free', 0],
    ['priced', 0],
    ['reported', 0],
  ])('say how many calls have no known cost: %s counts %i', (costStatus, unpriced) => {
    expect(tallyOf([loggedUsage(0, { costStatus }), loggedUsage(1)]).unpriced).toBe(unpriced)
  })

  it('span the first and the last call, in whatever order they come', () => {
    const rows = [5, 1, 9, 3].map((at) => loggedUsage(at))
    expect(tallyOf(rows)).toMatchObject({
      startDate: '2026-03-01T12:00:00.001Z',
      endDate: '2026-03-01T12:00:00.009Z',
    })
  })

  it('name the versions of the registry that priced the calls', () => {
    const versionOf = (...versions: (string | null)[]) =>
      tallyOf(versions.map((registryProviderVersion, at) => loggedUsage(at, { registryProviderVersion })))
        .registryVersion
    expect(versionOf('openai@7', 'openai@7')).toBe('openai@7')
    expect(versionOf('openai@7', 'anthropic@9', null)).toBe('anthropic@9+openai@7')
    expect(versionOf(null)).toBe('none')
    expect(versionOf(...Array.from({ length: 60 }, (_, at) => `openai@${100 + at}`))).toBe('various')
  })

  it('are those of one call where there is one', () => {
    expect(tallyOf([loggedUsage(0, { alias: null })]).single).toMatchObject({ model: 'gpt-4o-mini', alias: null })
    expect(tallyOf([loggedUsage(0), loggedUsage(1)]).single).toBeNull()
  })
})

describe('the parts of the sums', () => {
  const sumOf = (parts: Readonly<Record<string, { readonly calls: number }>>) =>
    Object.values(parts).reduce((sum, { calls }) => sum + calls, 0)

  it('are by model and by alias, and calls without an alias are one of them', () => {
    const rows = [
      loggedUsage(0, { model: 'a', cost: '1.000000000000' }),
      loggedUsage(1, { model: 'a', cost: '2.000000000000', alias: null }),
      loggedUsage(2, { model: 'b', cost: '4.000000000000', alias: null, inputTokens: null }),
    ]
    const { byModel, byAlias } = tallyOf(rows)
    expect(byModel).toEqual({
      a: { calls: 2, cost: '3.000000000000', tokens: 3_000 },
      b: { calls: 1, cost: '4.000000000000', tokens: 300 },
    })
    expect(byAlias).toEqual({
      summarizer: { calls: 1, cost: '1.000000000000', tokens: 1_500 },
      '(none)': { calls: 2, cost: '6.000000000000', tokens: 1_800 },
    })
  })

  it('keep the names with the most calls, and sum up the others: nothing is lost', () => {
    const rows = Array.from({ length: 250 }, (_, at) => loggedUsage(at, { model: `m-${at < 50 ? 0 : at}` }))
    const { byModel, cost } = tallyOf(rows)
    expect(Object.keys(byModel)).toHaveLength(BATCH_LIMITS.summaryNamesMax + 1)
    expect(byModel['m-0']).toMatchObject({ calls: 50 })
    expect(byModel['(other)']).toMatchObject({ calls: 250 - 50 - 99 })
    expect([sumOf(byModel), cost]).toEqual([250, '0.090000000000'])
  })

  it('take names that objects have of themselves', () => {
    const names = ['__proto__', 'constructor', 'toString', '(other)']
    const { byModel } = tallyOf(names.map((model, at) => loggedUsage(at, { model })))
    expect(Object.keys(byModel).sort()).toEqual([...names].sort())
    expect(sumOf(byModel)).toBe(4)
  })

  it('stay within bounds while more names pass by than can be told apart', () => {
    const count = BATCH_LIMITS.namesTalliedMax + 500
    function* rows() {
      for (let at = 0; at < count; at += 1) yield loggedUsage(at, { model: `m-${at}`, alias: `a-${at}` })
    }
    const { byModel, byAlias } = tallyOf(rows())
    expect([sumOf(byModel), sumOf(byAlias)]).toEqual([count, count])
  })

  it.each([
    ['controls, which JSON escapes', '\u0001'.repeat(250)],
    ['letters of four bytes', '😀'.repeat(250)],
    ['plain letters', 'x'.repeat(255)],
  ])('fit into a receipt with names of %s', (_name, text) => {
    const rows = Array.from({ length: 400 }, (_, at) => loggedUsage(at, { model: text + at, alias: at + text }))
    const totals = tallyOf(rows)
    expect([sumOf(totals.byModel), sumOf(totals.byAlias)]).toEqual([400, 400])
    const receipt = buildBatchReceipt(
      {
        ...totals,
        membersRoot: `sha256:${'0'.repeat(64)}`,
        logIds: Array.from({ length: BATCH_LIMITS.logIdsShownMax }, (_, at) => loggedUsage(at).id),
        description: '\u0001'.repeat(BATCH_LIMITS.descriptionCharactersMax),
        tags: Array.from({ length: BATCH_LIMITS.tagsMax }, () => '\u0001'.repeat(BATCH_LIMITS.tagCharactersMax)),
      },
      {
        now: new Date(),
        issuer: 'receipts.example/log1',
        project: loggedUsage(0).id,
        keyId: 'x'.repeat(255),
        id: `rcpt_${loggedUsage(0).id}`,
        log: { origin: 'receipts.example/log1', max_merge_delay_seconds: 60 },
      },
    )
    const canonical = canonicalJson(receipt)
    expect(canonical.ok && canonical.bytes.length < canonicalBytesMax - 500).toBe(true)
  })
})
