import { describe, expect, it } from 'vitest'
import {
  type BatchContent,
  buildBatchReceipt,
  draftReceipt,
  formatMembersRoot,
  hashMember,
  sealReceipt,
  verifyMembership,
  verifyReceipt,
} from '../../src/core/proof/index.js'
import { memberOf } from '../../src/features/receipts/batch/logged-usage.js'
import { nodeVerifier, signerOfByte } from './proof-fixtures.js'
import { loggedUsage } from './receipts-usage-fixtures.js'
import { NaiveTree, sha256 } from './tlog-trees.js'

const CONTEXT = {
  now: new Date('2026-03-02T00:00:00.000Z'),
  issuer: 'receipts.example/log1',
  project: '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11',
  keyId: 'key-1',
  id: 'rcpt_1',
  log: { origin: 'receipts.example/log1', max_merge_delay_seconds: 60 },
}
const rows = [loggedUsage(0), loggedUsage(1, { alias: null, cost: '0.000000000001' })]
const leaves = rows.map((row) => hashMember(sha256, memberOf(row)) ?? new Uint8Array())
const root = formatMembersRoot(new NaiveTree(leaves).root(0, 2))
const CONTENT: BatchContent = {
  count: 2,
  membersRoot: root,
  logIds: rows.map(({ id }) => id),
  tokens: { input: 2_400, output: 600, cached_input: 400 },
  cost: '0.000360000001',
  unpriced: 0,
  startDate: '2026-03-01T12:00:00.000Z',
  endDate: '2026-03-01T12:00:00.001Z',
  byModel: { 'gpt-4o-mini': { calls: 2, cost: '0.000360000001', tokens: 3_000 } },
  byAlias: {
    summarizer: { calls: 1, cost: '0.000360000000', tokens: 1_500 },
    '(none)': { calls: 1, cost: '0.000000000001', tokens: 1_500 },
  },
  registryVersion: 'openai@7',
  single: null,
  description: 'March',
  tags: ['billing', 'monthly'],
}

describe('the receipt over several calls', () => {
  it('says all that it certifies inside of what is signed', () => {
    expect(buildBatchReceipt(CONTENT, CONTEXT)).toEqual({
      id: 'rcpt_1',
      timestamp: '2026-03-02T00:00:00.000Z',
      issuer: 'receipts.example/log1',
      project: '019a3c5e-7d10-7a52-8f43-0b5d6a3c9e11',
      registry_version: 'openai@7',
      model: 'batch:2 calls',
      alias: 'batch',
      profile: 'default',
      lock_digest: '',
      tokens: { input: 2_400, output: 600, cached_input: 400 },
      cost: { amount: '0.000360000001', calculation: 'sum of the costs of 2 logged calls', currency: 'USD' },
      evidence: 'client_reported',
      receipt_type: 'batch',
      batch_summary: {
        total_conversations: 0,
        total_calls: 2,
        unpriced_calls: 0,
        total_tokens: 3_000,
        total_cost: '0.000360000001',
        start_date: '2026-03-01T12:00:00.000Z',
        end_date: '2026-03-01T12:00:00.001Z',
        by_model: { 'gpt-4o-mini': { calls: 2, cost: '0.000360000001', tokens: 3_000 } },
        by_alias: {
          summarizer: { calls: 1, cost: '0.000360000000', tokens: 1_500 },
          '(none)': { calls: 1, cost: '0.000000000001', tokens: 1_500 },
        },
      },
      usage: { log_ids: rows.map(({ id }) => id), members_root: root, count: 2 },
      description: 'March',
      tags: ['billing', 'monthly'],
      log: { origin: 'receipts.example/log1', max_merge_delay_seconds: 60 },
      key_id: 'key-1',
    })
  })

  it('leaves out what there is nothing to say of', () => {
    const plain = buildBatchReceipt({ ...CONTENT, logIds: null, description: null, tags: null }, CONTEXT)
    expect(Object.keys(plain)).not.toEqual(expect.arrayContaining(['description']))
    expect(Object.keys(plain)).not.toEqual(expect.arrayContaining(['tags']))
    expect(plain['usage']).toEqual({ members_root: root, count: 2 })
  })

  it('of one call says what that call says', () => {
    const single = { provider: 'openai', model: 'gpt-4o-mini', alias: 'summarizer', profile: 'prod' }
    expect(buildBatchReceipt({ ...CONTENT, count: 1, single }, CONTEXT)).toMatchObject({
      receipt_type: 'single',
      provider: 'openai',
      model: 'gpt-4o-mini',
      alias: 'summarizer',
      profile: 'prod',
    })
    const bare = { ...single, alias: null, profile: null }
    expect(buildBatchReceipt({ ...CONTENT, count: 1, single: bare }, CONTEXT)).toMatchObject({
      alias: '',
      profile: 'default',
    })
  })

  it('verifies once it is placed and signed, and proves its members', async () => {
    const { key, sign } = signerOfByte(1)
    const drafted = draftReceipt(buildBatchReceipt(CONTENT, CONTEXT))
    if (!drafted.ok) throw new Error(drafted.reason)
    const bytes = sealReceipt({ sign }, drafted.draft, { seq: 1, prev: null, issuedAt: CONTEXT.now.getTime() })
    const receipt: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    expect(verifyReceipt(nodeVerifier(), new Map([['key-1', key]]), receipt)).toMatchObject({ valid: true })
    const proof = new NaiveTree(leaves).path(1, 2).map((hash) => Buffer.from(hash).toString('base64'))
    const [, row] = rows
    const claim = { member: row && memberOf(row), index: 1, count: 2, proof, members_root: root }
    expect(verifyMembership(sha256, receipt, claim)).toMatchObject({ ok: true, index: 1 })
    expect(verifyMembership(sha256, receipt, { ...claim, index: 0 })).toEqual({ ok: false, reason: 'not-a-member' })
  })
})

describe('a call as a member', () => {
  it('keeps what is not known out of its counts, and null where there is no name', () => {
    expect(memberOf(loggedUsage(3, { inputTokens: null, cachedInputTokens: 0, alias: null, profile: null }))).toEqual({
      log_id: '019ca955-7300-7000-8000-000000000003',
      timestamp: '2026-03-01T12:00:00.003Z',
      provider: 'openai',
      model: 'gpt-4o-mini',
      alias: null,
      profile: null,
      tokens: { output: 300, cached_input: 0 },
      cost: '0.000360000000',
      cost_status: 'priced',
    })
  })

  it.each([
    { cost: '0.000360000001' },
    { costStatus: 'reported' },
    { alias: null },
    { profile: 'prod' },
    { model: 'gpt-4o' },
    { provider: 'azure' },
    { inputTokens: 1_201 },
    { outputTokens: null },
    { reasoningTokens: 0 },
    { loggedAt: new Date('2026-03-01T12:00:00.001Z') },
    { id: '019ca955-7300-7000-8000-00000000000f' },
  ])('has another hash with %j', (change) => {
    const hashOf = (row: Parameters<typeof memberOf>[0]) => hashMember(sha256, memberOf(row))
    expect(hashOf(loggedUsage(0, change))).not.toEqual(hashOf(loggedUsage(0)))
    expect(hashOf(loggedUsage(0, { registryProviderVersion: 'openai@8' }))).toEqual(hashOf(loggedUsage(0)))
  })
})
