import { describe, expect, test } from 'vitest'
import { NO_PROJECT } from '../../src/access/principal.js'
import { type ChatUsage, NO_USAGE } from '../../src/core/chat/index.js'
import { type CallSlot, type EndedAt, type ObservedCall, observe } from '../../src/features/gateway/account/account.js'
import { createCertify } from '../../src/features/gateway/account/certify-call.js'
import { type LedgerDeps, openLedger } from '../../src/features/gateway/account/ledger.js'
import type { ChatCall } from '../../src/features/gateway/call.js'
import { readGatewayConfig } from '../../src/features/gateway/config/read-config.js'
import { findModel, listModels } from '../../src/features/gateway/list-models.js'

const read = readGatewayConfig(
  `providers:
  - { name: priced, base_url: "http://127.0.0.1:9", models: [{ model: m, cost_per_1k_in: 0.5, cost_per_1k_out: 1.5 }] }
  - { name: open, base_url: "http://127.0.0.1:9", model: m }
  - { name: claude, type: anthropic, base_url: "http://127.0.0.1:9", model: c }`,
  () => undefined,
)
if (!read.ok) throw new Error(read.faults.join('\n'))
const [priced, open, claude] = read.config.providers as [EndedAt['provider'], EndedAt['provider'], EndedAt['provider']]
const at = (provider: EndedAt['provider'], model = 'm'): EndedAt => ({ provider, model })

const USAGE: ChatUsage = { input: 100, cacheRead: 20, cacheWrite5m: 7, cacheWrite1h: 3, output: 50, reasoning: 10 }
const CALL = {
  ...{ projectId: NO_PROJECT, keyId: null, surface: 'openai', body: {}, isStream: true, wantsUsage: false },
  ...{ requestedModel: 'summarizer', alias: 'summarizer', profile: 'staging', wantsReceipt: true },
  ...{ receiptId: 'rcpt_1', passedHeaders: {}, signal: new AbortController().signal, cacheWish: {} },
} as unknown as ChatCall
const ANSWERED = { outcome: 'answered', usage: USAGE, isEstimated: false }
const SPENT = { attempts: 2, failed: [], latencyMs: 12.5, isAwaited: false }

describe('the row of a call', () => {
  test('says what was asked for, who answered, and how it came to that', () => {
    const row = observe(CALL, at(open), { ...ANSWERED, isEstimated: true }, SPENT)
    expect(row).toMatchObject({
      provider: 'open',
      model: 'm',
      alias: 'summarizer',
      profile: 'staging',
      latencyMs: 12.5,
    })
    expect(JSON.parse(row.metadata)).toMatchObject({
      ...{ requested_model: 'summarizer', outcome: 'answered', attempts: 2, stream: true, estimated: true },
    })
  })

  test('counts what was cached as its provider counts it', () => {
    expect(observe(CALL, at(open), ANSWERED, SPENT).tokens).toEqual({
      ...{ input_tokens: 120, output_tokens: 50, cached_input_tokens: 20, reasoning_tokens: 10 },
    })
    expect(observe(CALL, at(claude, 'c'), ANSWERED, SPENT).tokens).toMatchObject({
      ...{ input_tokens: 100, cache_read_input_tokens: 20, cached_input_tokens: 0 },
      ...{ cache_write_5m_input_tokens: 7, cache_write_1h_input_tokens: 3 },
    })
  })

  test('costs what the configuration says, to the last digit, or what the registry does if that says nothing', () => {
    // 130 x 0.0005 + 50 x 0.0015 USD.
    expect(observe(CALL, at(priced), ANSWERED, SPENT).costPico).toBe(140_000_000_000n)
    expect(observe(CALL, at(priced), { ...ANSWERED, usage: NO_USAGE }, SPENT).costPico).toBe(0n)
    expect(observe(CALL, at(open), ANSWERED, SPENT).costPico).toBeNull()
  })
})

/** A ledger whose rows are kept here, and what is waited for. */
function start(more: Partial<LedgerDeps> = {}, call: ChatCall = CALL) {
  const rows: ObservedCall[] = []
  const log: string[] = []
  let commit: () => void = () => undefined
  const committed = new Promise<void>((resolve) => {
    commit = () => {
      log.push('committed')
      resolve()
    }
  })
  const row = {
    ...{ id: 'row-1', loggedAt: '2026-01-31T12:00:00.000Z', cost: '0.140000000000', status: 'reported' },
    ...{ registryVersion: null, unitPrices: null },
  }
  const slot: CallSlot = {
    release: () => undefined,
    record: (observed) => {
      rows.push(observed)
      return { row, committed }
    },
  }
  const deps: LedgerDeps = {
    ...{ clock: () => 0, isDurable: false, keep: () => undefined, onUncertified: () => log.push('uncertified') },
    certify: async () => void log.push('certified'),
    ...more,
  }
  return { ledger: openLedger(deps, call, slot, () => void log.push('settled')), rows, log, commit }
}

const UNCERTIFIED: ChatCall = { ...CALL, receiptId: null }

describe('the ledger of a call', () => {
  test('writes one row, however often it is told the end', async () => {
    const { ledger, rows } = start({}, UNCERTIFIED)
    await ledger.settle(at(open), ANSWERED)
    await ledger.settle(at(priced), { ...ANSWERED, outcome: 'cut' })
    expect(rows).toHaveLength(1)
    expect(ledger.isSettled()).toBe(true)
  })

  test('keeps no caller waiting for the commit', async () => {
    const { ledger, log } = start({}, UNCERTIFIED)
    await ledger.settle(at(open), ANSWERED)
    expect(log).toEqual(['settled'])
  })

  test('waits for it where that is configured', async () => {
    const { ledger, log, commit } = start({ isDurable: true }, UNCERTIFIED)
    const settled = ledger.settle(at(open), ANSWERED).then(() => log.push('answered'))
    commit()
    await settled
    expect(log).toEqual(['settled', 'committed', 'answered'])
  })

  test('certifies what is committed, and only what was answered', async () => {
    const { ledger, log, commit } = start()
    const settled = ledger.settle(at(open), ANSWERED)
    commit()
    await settled
    expect(log).toEqual(['settled', 'committed', 'certified'])
    expect(ledger.isCertified()).toBe(true)
    const failed = start()
    await failed.ledger.settle(at(open), { ...ANSWERED, outcome: 'cut' })
    expect(failed.log).toEqual(['settled'])
  })

  test('does not take an answer away because its receipt cannot be issued', async () => {
    const { ledger, log, commit } = start({ certify: () => Promise.reject(new Error('suspended')) })
    commit()
    await ledger.settle(at(open), ANSWERED)
    expect(log).toEqual(['committed', 'settled', 'uncertified'])
    expect(ledger.isCertified()).toBe(false)
  })
})

describe('the receipt of a call', () => {
  test('says what was seen, in the numbers of its row', async () => {
    const issued: unknown[] = []
    const certify = createCertify({
      issue: async (_, claims) => void issued.push(claims),
      findLockDigest: async () => 'ab'.repeat(32),
    })
    const row = {
      ...{ id: 'row-1', loggedAt: '2026-01-31T12:00:00.000Z', cost: '0.140000000000', status: 'priced' },
      ...{ registryVersion: 'openai@7', unitPrices: { input: '0.5' } },
    }
    await certify(CALL, at(open), ANSWERED, row)
    expect(issued).toEqual([
      {
        ...{ id: 'rcpt_1', timestamp: '2026-01-31T12:00:00.000Z', registry_version: 'openai@7' },
        ...{ provider: 'open', model: 'open:m', alias: 'summarizer', profile: 'staging', lock_digest: 'ab'.repeat(32) },
        tokens: { input: 120, output: 50, cached_input: 20, cache_write_5m: 7, cache_write_1h: 3, reasoning: 10 },
        cost: { amount: '0.140000000000', unit_prices: { input: '0.5' } },
      },
    ])
  })
})

describe('the models that are listed', () => {
  const { backends } = priced

  test('are the aliases, then those of the providers', () => {
    const list = listModels(['a', 'b'], backends)
    expect(list.data.map(({ id, owned_by: owner }) => [id, owner])).toEqual([
      ['a', 'alias'],
      ['b', 'alias'],
      ['priced:m', 'priced'],
    ])
    expect([list.first_id, list.last_id]).toEqual(['a', 'priced:m'])
    expect(listModels([], [])).toMatchObject({ data: [], first_id: null, last_id: null })
  })

  test('are found by each of their names', () => {
    expect(findModel('a', true, backends)).toMatchObject({ id: 'a', owned_by: 'alias' })
    expect(findModel('m', false, backends)).toMatchObject({ id: 'm', owned_by: 'priced' })
    expect(findModel('priced:m', false, backends)).toMatchObject({ id: 'priced:m' })
    expect(findModel('gone', false, backends)).toBeUndefined()
  })
})
