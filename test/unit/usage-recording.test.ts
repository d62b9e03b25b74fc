import { describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { checkTokens, type TokenCounts } from '../../src/core/pricing/index.js'
import type { SentEvent, UsageRow } from '../../src/features/usage/event.js'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { createCombinationLimit } from '../../src/features/usage/record/combination-limit.js'
import { createUsageCounters } from '../../src/features/usage/record/count-usage.js'
import { fingerprint } from '../../src/features/usage/record/fingerprint.js'
import { type BatchDeps, logBatch } from '../../src/features/usage/record/log-batch.js'
import type { KeptMark } from '../../src/features/usage/record/mark-store.js'
import { type Recorded, settleReplays } from '../../src/features/usage/record/settle-replays.js'
import { createShards } from '../../src/features/usage/record/shards.js'
import { SLICE_LIMITS } from '../../src/platform/limits.js'
import { createMetrics } from '../../src/platform/metrics.js'

const PROJECT = '019a0000-0000-7000-8000-000000000001' as ProjectId
const OTHER = '019a0000-0000-7000-8000-000000000002' as ProjectId
const COUNTS = { input_tokens: 10, output_tokens: 5, cached_input_tokens: 0 }

function partsOf(counts: TokenCounts) {
  const checked = checkTokens(counts)
  if (!checked.ok) throw new Error(checked.message)
  return checked.parts
}

const eventOf = (changes: Partial<SentEvent['event']> = {}): SentEvent['event'] => ({
  ...{ provider: 'openai', model: 'gpt-4o', alias: null, profile: null, origin: null, idAtOrigin: null },
  ...{ conversationId: null, tokens: COUNTS, parts: partsOf(COUNTS), latencyMs: null, reportedPico: null },
  metadata: null,
  ...changes,
})
const sent = (changes: Partial<SentEvent['event']> = {}, happenedMs: number | null = null, key = 'k'): SentEvent => ({
  ...{ event: eventOf(changes), happenedMs, idempotencyKey: key },
})
const rowOf = (changes: Partial<UsageRow> = {}): UsageRow => ({
  ...{ projectId: PROJECT, keyId: null, id: 'row', loggedAt: '2026-03-15T12:00:00.000Z', event: eventOf() },
  ...{ cost: '0', computedCost: null, reportedCost: null, status: 'no_price', registryVersion: null, unitPrices: null },
  ...changes,
})

describe('the fingerprint of an event', () => {
  it('is the same for the same event, whatever its key and the form of its counts', () => {
    const first = fingerprint(sent())
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(fingerprint(sent({}, null, 'another key'))).toBe(first)
    expect(fingerprint(sent({ tokens: { ...COUNTS, reasoning_tokens: null } }))).toBe(first)
    expect(fingerprint(sent({ tokens: { ...COUNTS, input_tokens_include_cache: true } }))).toBe(first)
  })

  it('is another one for every other thing that an event can say', () => {
    const others: SentEvent[] = [
      ...(['provider', 'model', 'alias', 'profile', 'origin', 'idAtOrigin', 'conversationId'] as const).map((name) =>
        sent({ [name]: 'x' }),
      ),
      ...(Object.keys(COUNTS) as (keyof typeof COUNTS)[]).map((name) => sent({ tokens: { ...COUNTS, [name]: 1 } })),
      ...(['cache_read_input_tokens', 'cache_write_5m_input_tokens', 'cache_write_1h_input_tokens'] as const).map(
        (name) => sent({ tokens: { ...COUNTS, [name]: 1 } }),
      ),
      sent({ tokens: { ...COUNTS, reasoning_tokens: 1 } }),
      sent({ tokens: { ...COUNTS, input_tokens_include_cache: false } }),
      sent({ latencyMs: 1 }),
      sent({ reportedPico: 0n }),
      sent({ reportedPico: 1n }),
      sent({ metadata: '{}' }),
      sent({}, 0),
      sent({}, 1),
    ]
    const prints = [sent(), ...others].map(fingerprint)
    expect(new Set(prints).size).toBe(others.length + 1)
  })
})

describe('the limit of combinations', () => {
  const limitOf = (combinationsMax: number, combinationsOfDayMax = 100, combinationsKnownMax = 1_000) =>
    createCombinationLimit({ combinationsMax, combinationsOfDayMax, combinationsKnownMax })
  const at = (origin: string, changes: Partial<UsageRow> = {}) => rowOf({ event: eventOf({ origin }), ...changes })

  it('folds what is new beyond it, and never what was there before', () => {
    const foldOf = limitOf(2)
    expect(['a', 'b', 'c', 'a', 'b', 'c', 'd'].map((origin) => foldOf(at(origin)))).toEqual([0, 0, 1, 0, 0, 1, 1])
  })

  it('folds model, provider and profile too where these are too many', () => {
    const foldOf = limitOf(2)
    const named = (model: string, origin: string) => rowOf({ event: eventOf({ model, origin }) })
    const sent = [named('m', 'a'), named('m', 'b'), named('m', 'c'), named('n', 'c'), named('o', 'c'), named('n', 'd')]
    expect(sent.map(foldOf)).toEqual([0, 0, 1, 1, 2, 1])
    expect(foldOf(named('m', 'b'))).toBe(0)
  })

  it('counts each hour and each project for itself', () => {
    const foldOf = limitOf(1)
    expect(foldOf(at('a'))).toBe(0)
    expect(foldOf(at('b', { loggedAt: '2026-03-15T12:59:59.999Z' }))).toBe(1)
    expect(foldOf(at('b', { loggedAt: '2026-03-15T13:00:00.000Z' }))).toBe(0)
    expect(foldOf(at('b', { projectId: OTHER }))).toBe(0)
  })

  it('counts what is new in a day as well', () => {
    const foldOf = limitOf(2, 3)
    const sent = ['00', '01', '02', '03'].map((hour) => at(hour, { loggedAt: `2026-03-15T${hour}:00` }))
    expect(sent.map(foldOf)).toEqual([0, 0, 0, 1])
    expect(foldOf(at('00', { loggedAt: '2026-03-15T04:00' }))).toBe(0)
    expect(foldOf(at('03', { loggedAt: '2026-03-16T00:00' }))).toBe(0)
  })

  it('tells an absent name from an empty one, and names from their neighbours', () => {
    const foldOf = limitOf(3)
    const named = (alias: string | null, origin: string | null) => rowOf({ event: eventOf({ alias, origin }) })
    expect([named('a', 'b'), named('b', 'a'), named(null, 'a'), named('a', null)].map(foldOf)).toEqual([0, 0, 0, 1])
  })

  it('remembers so many in all: what was not written to for the longest time is forgotten', () => {
    const foldOf = limitOf(1, 1, 4)
    for (const day of ['10', '11', '12']) expect(foldOf(at('a', { loggedAt: `2026-03-${day}T12:00` }))).toBe(0)
    expect(foldOf(at('b', { loggedAt: '2026-03-12T12:30' }))).toBe(1)
    expect(foldOf(at('b', { loggedAt: '2026-03-10T12:30' }))).toBe(0)
  })
})

describe('the counters of usage', () => {
  it('name so many models that have prices, and no others', async () => {
    const metrics = createMetrics()
    const count = createUsageCounters(metrics)
    const priced = (model: string) =>
      rowOf({ event: eventOf({ model }), registryVersion: 'openai@7', unitPrices: { a: '1' } })
    const names = Array.from({ length: USAGE_LIMITS.countedModelsMax + 2 }, (_, at) => `m${at}`)
    count([...names, 'm0'].map(priced))
    count([rowOf({ event: eventOf({ model: 'invented' }), registryVersion: 'openai@7', unitPrices: null })])
    const { text } = await metrics.expose()
    const of = (model: string) =>
      new RegExp(
        `^llmring_usage_events_total\\{provider="openai",model="${model}",cost_status="\\w+"\\} (\\d+)$`,
        'm',
      ).exec(text)?.[1]
    expect([of('m0'), of('m199'), of('m200'), of('invented'), of('other')]).toEqual([
      '2',
      '1',
      undefined,
      undefined,
      '3',
    ])
  })
})

describe('shards', () => {
  it('are other ones for groups that are in flight together, and the same ones again afterwards', async () => {
    const shards = createShards(2)
    const used: number[] = []
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const hold = () =>
      shards.use(async (shard) => {
        used.push(shard)
        await held
      })
    const groups = [hold(), hold()]
    release()
    await Promise.all(groups)
    await shards.use(async (shard) => expect(used).toContain(shard))
    expect(new Set(used).size).toBe(2)
    for (const shard of used) expect(shard).toBeGreaterThan(1)
  })

  it('are given back by a group that failed', async () => {
    const shards = createShards(1)
    const seen: number[] = []
    for (let turn = 0; turn < 3; turn += 1) {
      const failed = shards.use(async (shard) => {
        seen.push(shard)
        throw new Error('lost')
      })
      await expect(failed).rejects.toThrow('lost')
    }
    expect(new Set(seen).size).toBe(1)
  })
})

describe('rows whose marks were there before', () => {
  const mark = { key: 'k', item: 0, sha256: 'aa', answer: '{"mine":1}', markedAt: '2026-03-15T12:00:00.000Z' }
  const kept = (changes: Partial<KeptMark> = {}): KeptMark => ({
    ...{ projectId: PROJECT, key: 'k', item: 0, sha256: 'aa', answer: '{"first":1}', logId: 'first' },
    markedAt: new Date(0),
    ...changes,
  })
  const settle = (found: readonly KeptMark[], rows = [rowOf(), rowOf({ mark })], replayed = [1]) =>
    settleReplays(async () => [...found], rows, replayed)

  it('are answered as the first ones, and the others as written', async () => {
    expect(await settle([kept()])).toEqual([
      { status: 'written' },
      { status: 'replayed', sha256: 'aa', answer: '{"first":1}' },
    ])
  })

  it('are not looked for if there are none', async () => {
    const asked: unknown[] = []
    const find = async (keys: readonly unknown[]) => {
      asked.push(keys)
      return []
    }
    expect(await settleReplays(find, [rowOf({ mark })], [])).toEqual([{ status: 'written' }])
    expect(asked).toEqual([])
  })

  it('are their own ones after a lost connection: written', async () => {
    expect((await settle([kept({ logId: 'row' })]))[1]).toEqual({ status: 'written' })
  })

  it('are told from the same key of another project and of another place in a batch', async () => {
    const strangers = [kept({ projectId: OTHER }), kept({ item: 1 }), kept({ key: 'K' })]
    expect((await settle(strangers))[1]).toMatchObject({ status: 'failed', error: { code: 'database-unavailable' } })
    expect((await settle([...strangers, kept()]))[1]).toMatchObject({ status: 'replayed' })
  })

  it('fail alone if their marks cannot be read: the rest of the group is written', async () => {
    const find = () => Promise.reject(new Error('the host is secret-host'))
    const [first, second] = await settleReplays(find, [rowOf(), rowOf({ mark })], [1])
    expect(first).toEqual({ status: 'written' })
    expect(second).toMatchObject({ status: 'failed', error: { code: 'database-unavailable' } })
    expect(JSON.stringify(second?.status === 'failed' && second.error.message)).not.toContain('secret-host')
  })
})

describe('a batch', () => {
  it('is handed over in slices: everything else gets its turn between its events', async () => {
    const total = 4
    const turns: number[] = []
    let turn = 0
    let released = 0
    const goOn = (): void => {
      turn += 1
      if (released === 0) setImmediate(goOn)
    }
    const submit = async (): Promise<Recorded> => {
      // Longer than one slice.
      const until = performance.now() + SLICE_LIMITS.sliceMsMax + 1
      while (performance.now() < until);
      turns.push(turn)
      return { status: 'written' }
    }
    const deps: BatchDeps = {
      ...{ newId: () => 'row', clock: () => 0, registryLoaded: async () => true, onPriceable: () => undefined },
      findPrice: () => ({ status: 'unknown_model', registryVersion: null }),
      claim: async () => undefined,
      keepRoom: (rows) => {
        expect(rows.length).toBe(total)
        const release = () => {
          released += 1
        }
        return { submit, release }
      },
    }
    const items = Array.from({ length: total }, () => ({ ok: true as const, value: sent({}, null, 'k') }))
    setImmediate(goOn)
    const { retryAfterSeconds } = await logBatch(deps, { projectId: PROJECT, keyId: null, items, headerKey: null })
    expect([retryAfterSeconds, released, new Set(turns).size]).toEqual([null, 1, total])
  })
})
