import { describe, expect, it } from 'vitest'
import { canonicalBytesMax, canonicalJson } from '../../src/core/json/index.js'
import {
  buildReceipt,
  draftReceipt,
  type IssueContext,
  type ReceiptPayload,
  sealReceipt,
  signReceipt,
  verifyReceipt,
} from '../../src/core/proof/index.js'
import { nodeVerifier, signerOfByte } from './proof-fixtures.js'

const signer = signerOfByte(5)
const context: IssueContext = {
  now: new Date('2026-03-01T12:00:00.045Z'),
  log: { origin: 'receipts.example/log1', max_merge_delay_seconds: 60 },
  issuer: 'receipts.example/log1',
  project: 'prj_1',
  keyId: 'key-1',
  id: 'rcpt_0195-fresh',
}
const payload: ReceiptPayload = {
  registry_version: 'openai@7',
  model: 'gpt-4o-mini',
  alias: 'summarizer',
  profile: 'default',
  lock_digest: 'sha256:00',
  tokens: { input: 1_200, output: 300, cached_input: 0 },
  cost: { amount: 0.00036, calculation: '1200 × 0.15 + 300 × 0.60 per million' },
}
const refusal = (change: Partial<ReceiptPayload>) => {
  const built = buildReceipt({ ...payload, ...change }, context)
  return built.ok ? null : [built.reason, built.pointer]
}

describe('a receipt that we issue', () => {
  it('says what the client said and what we add, money as a decimal string', () => {
    expect(buildReceipt(payload, context)).toEqual({
      ok: true,
      receipt: {
        id: 'rcpt_0195-fresh',
        timestamp: '2026-03-01T12:00:00.045Z',
        issuer: 'receipts.example/log1',
        project: 'prj_1',
        registry_version: 'openai@7',
        model: 'gpt-4o-mini',
        alias: 'summarizer',
        profile: 'default',
        lock_digest: 'sha256:00',
        tokens: { input: 1_200, output: 300, cached_input: 0 },
        cost: { amount: '0.000360000000', calculation: '1200 × 0.15 + 300 × 0.60 per million', currency: 'USD' },
        evidence: 'client_reported',
        log: { origin: 'receipts.example/log1', max_merge_delay_seconds: 60 },
        key_id: 'key-1',
      },
    })
  })

  it('keeps the id, the time, the provider and the unit prices that the client sent', () => {
    const sent = {
      id: 'mine:1',
      timestamp: '2019-01-01T00:00:00.1234567Z',
      key_id: 'key-1',
      provider: 'openai',
      cost: { amount: '0.1', currency: 'USD', unit_prices: { input: '0.15', output: '0.600' } },
    }
    expect(buildReceipt({ ...payload, ...sent }, context)).toMatchObject({
      ok: true,
      receipt: {
        id: 'mine:1',
        timestamp: '2019-01-01T00:00:00.1234567Z',
        provider: 'openai',
        cost: { amount: '0.100000000000', currency: 'USD', unit_prices: { input: '0.15', output: '0.600' } },
      },
    })
  })

  it.each<[string, Partial<ReceiptPayload>, string, string]>([
    ['an id outside the alphabet', { id: 'a b' }, 'bad-id', '/id'],
    ['the id of another key', { key_id: 'key-2' }, 'wrong-key-id', '/key_id'],
    ['a day that does not exist', { timestamp: '2026-02-30T00:00:00Z' }, 'not-a-date', '/timestamp'],
    ['a time that is yet to come', { timestamp: '2026-03-01T12:05:00.046Z' }, 'ahead-of-clock', '/timestamp'],
    ['a negative amount', { cost: { amount: -1 } }, 'negative', '/cost/amount'],
    ['an amount that is no number', { cost: { amount: 'free' } }, 'not-a-decimal', '/cost/amount'],
    ['another currency', { cost: { amount: 1, currency: 'EUR' } }, 'unknown-currency', '/cost/currency'],
    [
      'a price that is no decimal',
      { cost: { amount: 1, unit_prices: { input: '1e-3' } } },
      'bad-unit-price',
      '/cost/unit_prices/input',
    ],
    [
      'a price of an odd name',
      { cost: { amount: 1, unit_prices: { 'in/put': '1' } } },
      'bad-counter-name',
      '/cost/unit_prices',
    ],
    [
      'an endless calculation',
      { cost: { amount: 1, calculation: 'x'.repeat(4_097) } },
      'bad-text',
      '/cost/calculation',
    ],
    ['a text of 256 characters', { lock_digest: 'x'.repeat(256) }, 'bad-text', '/lock_digest'],
    ['NUL in a text', { model: 'a\0' }, 'bad-text', '/model'],
    ['half a surrogate pair in a text', { alias: '\udc00' }, 'bad-text', '/alias'],
    ['half a token', { tokens: { input: 0.5, output: 1 } }, 'bad-count', '/tokens/input'],
    ['fewer tokens than none', { tokens: { input: 1, output: -1 } }, 'bad-count', '/tokens/output'],
    ['more tokens than a double counts', { tokens: { input: 2 ** 53 } }, 'bad-count', '/tokens/input'],
    ['a counter named __proto__', { tokens: JSON.parse('{"__proto__":1}') }, 'bad-counter-name', '/tokens'],
    [
      '33 counters',
      { tokens: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`c${at}`, 1])) },
      'too-many-counters',
      '/tokens',
    ],
  ])('is refused for %s', (_, change, reason, pointer) => {
    expect(refusal(change)).toEqual([reason, pointer])
  })

  it('takes texts of 255 characters, and the key id that is ours', () => {
    expect(refusal({ lock_digest: 'x'.repeat(255), registry_version: '', key_id: 'key-1' })).toBeNull()
  })
})

describe('signing', () => {
  const built = buildReceipt(payload, context)
  if (!built.ok) throw new Error(built.reason)

  it('signs the canonical bytes without the signature and gives those with it', () => {
    const result = signReceipt({ sign: signer.sign }, built.receipt)
    if (!result.ok) throw new Error(result.reason)
    expect(canonicalJson(result.receipt)).toMatchObject({ ok: true, bytes: result.bytes })
    const known = new Map([['key-1', signer.key]])
    expect(verifyReceipt(nodeVerifier(), known, JSON.parse(new TextDecoder().decode(result.bytes))).valid).toBe(true)
  })

  it('covers members that are added before it, wherever they sort', () => {
    const more = { ...built.receipt, A: 1, seq: 1, prev: null, zz: { signature: 'inner' } }
    const result = signReceipt({ sign: signer.sign }, more)
    if (!result.ok) throw new Error(result.reason)
    expect(canonicalJson(result.receipt)).toMatchObject({ bytes: result.bytes })
    expect(verifyReceipt(nodeVerifier(), new Map([['key-1', signer.key]]), result.receipt).valid).toBe(true)
    expect(verifyReceipt(nodeVerifier(), new Map([['key-1', signer.key]]), { ...result.receipt, seq: 2 }).valid).toBe(
      false,
    )
  })

  it('replaces a signature that is there already', () => {
    const once = signReceipt({ sign: signer.sign }, built.receipt)
    const again = signReceipt({ sign: signer.sign }, { ...built.receipt, signature: 'ed25519:old' })
    expect(again.ok && again.bytes).toEqual(once.ok && once.bytes)
  })

  it('signs nothing that would be too large with its signature', () => {
    let signatures = 0
    const sign = (message: Uint8Array) => {
      signatures += 1
      return signer.sign(message)
    }
    const bare = canonicalJson({ ...built.receipt, note: '', signature: `ed25519:${'A'.repeat(86)}` })
    const room = canonicalBytesMax - (bare.ok ? bare.bytes.length : 0)
    const full = signReceipt({ sign }, { ...built.receipt, note: 'x'.repeat(room) })
    expect(full.ok && full.bytes.length).toBe(65_535)
    expect(signatures).toBe(1)
    const over = signReceipt({ sign }, { ...built.receipt, note: 'x'.repeat(room + 1) })
    expect(over).toEqual({ ok: false, reason: 'too-large', pointer: '' })
    expect(signReceipt({ sign }, { ...built.receipt, n: Number.NaN })).toMatchObject({ reason: 'non-finite-number' })
    expect(signatures).toBe(1)
  })

  it('stops where the signer gives no 64 bytes', () => {
    expect(() => signReceipt({ sign: () => new Uint8Array(63) }, built.receipt)).toThrow('64 bytes')
  })
})

describe('a draft', () => {
  const built = buildReceipt(payload, context)
  if (!built.ok) throw new Error(built.reason)
  const issuedAt = Date.parse('2026-03-01T12:00:00.100Z')
  const at = { seq: 7, prev: 'ab'.repeat(32), issuedAt }
  const draftOf = (unplaced: Parameters<typeof draftReceipt>[0]) => {
    const drafted = draftReceipt(unplaced)
    if (!drafted.ok) throw new Error(drafted.reason)
    return drafted.draft
  }

  it('sealed at its place is what signing the whole receipt gives', () => {
    for (const { seq, prev } of [at, { seq: 1, prev: null }]) {
      const sealed = sealReceipt({ sign: signer.sign }, draftOf(built.receipt), { seq, prev, issuedAt })
      const whole = { issued_at: '2026-03-01T12:00:00.100Z', seq, prev: prev === null ? null : `sha256:${prev}` }
      const signed = signReceipt({ sign: signer.sign }, { ...built.receipt, ...whole })
      expect(signed.ok && signed.bytes).toEqual(sealed)
    }
  })

  it('may have members that sort before and behind all others, and none between', () => {
    const sealed = sealReceipt({ sign: signer.sign }, draftOf({ A: 'é', zz: 1 }), at)
    const whole = { A: 'é', zz: 1, issued_at: '2026-03-01T12:00:00.100Z', seq: 7, prev: `sha256:${at.prev}` }
    const signed = signReceipt({ sign: signer.sign }, whole)
    expect(signed.ok && signed.bytes).toEqual(sealed)
    const bare = sealReceipt({ sign: signer.sign }, draftOf({}), at)
    expect(JSON.parse(new TextDecoder().decode(bare))).toMatchObject({ seq: 7, prev: `sha256:${at.prev}` })
  })

  it('is refused for what no place could mend, and is never longer than it said', () => {
    const longest = { seq: Number.MAX_SAFE_INTEGER, prev: 'f'.repeat(64), issuedAt }
    const { bytesMax } = draftOf({ ...built.receipt, note: '' })
    const room = canonicalBytesMax - bytesMax
    const full = draftOf({ ...built.receipt, note: 'x'.repeat(room) })
    expect(sealReceipt({ sign: signer.sign }, full, longest)).toHaveLength(canonicalBytesMax)
    expect(draftReceipt({ ...built.receipt, note: 'x'.repeat(room + 1) })).toMatchObject({ reason: 'too-large' })
    expect(draftReceipt({ ...built.receipt, n: Number.NaN })).toMatchObject({ reason: 'non-finite-number' })
    expect(() => sealReceipt({ sign: () => new Uint8Array(63) }, full, at)).toThrow('64 bytes')
  })
})
