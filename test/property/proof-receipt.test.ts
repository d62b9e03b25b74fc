import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, parseCanonicalBytes } from '../../src/core/json/index.js'
import { toReceiptAmount } from '../../src/core/pricing/index.js'
import { buildReceipt, checkTimestamp, readReceipt, signReceipt, verifyReceipt } from '../../src/core/proof/index.js'
import { nodeVerifier, signerOfByte } from '../unit/proof-fixtures.js'

const log = { origin: 'log.example/1', max_merge_delay_seconds: 60 }
const signer = signerOfByte(9)
const keys = new Map([['k', signer.key]])
const verifier = nodeVerifier()
const text = fc.string({ unit: 'binary', maxLength: 40 }).filter((value) => !value.includes('\0'))
const counts = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/), fc.maxSafeNat(), { maxKeys: 8 })
const instants = fc.date({
  min: new Date('2020-01-01T00:00:00Z'),
  max: new Date('2090-01-01T00:00:00Z'),
  noInvalidDate: true,
})

const payloads = fc.record({
  registry_version: text,
  model: text,
  alias: text,
  profile: text,
  lock_digest: text,
  tokens: counts,
  cost: fc.record({ amount: fc.maxSafeNat().map((nanos) => nanos / 1e9), calculation: text }),
})

describe('an issued receipt', () => {
  it('is canonical, verifies, and does so no more after any one byte of it has changed', () => {
    const context = { log, issuer: 'log.example/1', project: 'p', keyId: 'k', id: 'rcpt_1' }
    fc.assert(
      fc.property(payloads, instants, fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, now, at, flip) => {
        const built = buildReceipt(payload, { ...context, now })
        const signed = built.ok ? signReceipt({ sign: signer.sign }, built.receipt) : null
        if (!signed?.ok) throw new Error('not issued')
        expect(canonicalJson(signed.receipt)).toMatchObject({ ok: true, bytes: signed.bytes })
        const stored = parseCanonicalBytes(signed.bytes)
        expect(stored.ok && verifyReceipt(verifier, keys, stored.value).valid).toBe(true)
        const changed = Uint8Array.from(signed.bytes)
        changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ flip
        const forged = parseCanonicalBytes(changed)
        expect(forged.ok && verifyReceipt(verifier, keys, forged.value).valid).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('holds no number but integers', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const built = buildReceipt(payload, {
          now: new Date(0),
          log,
          issuer: 'i',
          project: 'p',
          keyId: 'k',
          id: 'r',
        })
        JSON.stringify(built, (_, value) => {
          if (typeof value === 'number') expect(Number.isSafeInteger(value)).toBe(true)
          return value
        })
        expect(built.ok && built.receipt.cost.amount).toMatch(/^(0|[1-9]\d*)\.\d{12}$/)
      }),
    )
  })
})

describe('verification', () => {
  it('answers any JSON value with a report', () => {
    const members = fc.dictionary(
      fc.constantFrom('id', 'receipt_id', 'key_id', 'signature', 'x'),
      fc.oneof(fc.jsonValue(), fc.constantFrom('k', 'r', `ed25519:${'A'.repeat(86)}`, `ed25519:C${'A'.repeat(85)}`)),
    )
    fc.assert(
      fc.property(fc.oneof(members, fc.jsonValue(), fc.anything()), (value) => {
        const report = verifyReceipt(verifier, keys, value)
        expect(report.valid).toBe(false)
        expect(report.checks).toHaveLength(5)
        const read = readReceipt(value)
        expect(report.receiptId).toBe(read.id)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('an amount', () => {
  it('of a text is exactly what the text says, or it is refused', () => {
    const zeros = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.nat(12)).map(([n, count]) => ({
      digits: n * 10n ** BigInt(count),
      places: 12 + count,
    }))
    const any = fc.record({ digits: fc.bigInt({ min: 0n, max: 10n ** 20n }), places: fc.nat(30) })
    fc.assert(
      fc.property(fc.oneof(zeros, any), fc.boolean(), ({ digits, places }, scientific) => {
        const padded = digits.toString().padStart(places + 1, '0')
        const plain = places === 0 ? padded : `${padded.slice(0, -places)}.${padded.slice(-places)}`
        const amount = toReceiptAmount(scientific ? `${digits}e-${places}` : plain)
        if (digits > 10n ** BigInt(12 + places)) expect(amount).toEqual({ ok: false, reason: 'too-large' })
        else if (amount.ok)
          expect(BigInt(amount.amount.replace('.', '')) * 10n ** BigInt(places)).toBe(digits * 10n ** 12n)
        else
          expect([amount.reason, (digits * 10n ** 12n) % 10n ** BigInt(places) > 0n]).toEqual(['too-many-places', true])
      }),
      { numRuns: 500 },
    )
  })

  it('of tokens times a price, computed in doubles, is the exact product', () => {
    const tokens = fc.nat(10_000_000)
    const pricePerMillion = fc.nat(100_000_000).map((micros) => micros / 1e6)
    fc.assert(
      fc.property(tokens, pricePerMillion, tokens, pricePerMillion, (input, dear, output, cheap) => {
        const exact = BigInt(input) * BigInt(Math.round(dear * 1e6)) + BigInt(output) * BigInt(Math.round(cheap * 1e6))
        const amount = toReceiptAmount((input * dear + output * cheap) / 1e6)
        expect(amount.ok && BigInt(amount.amount.replace('.', ''))).toBe(exact)
      }),
      { numRuns: 500 },
    )
  })

  it('of a number is never further from it than the noise of doubles', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (usd) => {
        const amount = toReceiptAmount(usd)
        if (amount.ok) expect(Math.abs(Number(amount.amount) - usd)).toBeLessThanOrEqual(usd * 20 * Number.EPSILON)
        else expect(amount.reason).toBe('too-many-places')
      }),
      { numRuns: 500 },
    )
  })
})

describe('a timestamp', () => {
  it('means the instant that Date reads in it, with any number of digits', () => {
    const past = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('2090-01-01T00:00:00Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(past, fc.stringMatching(/^\d{0,20}$/), (date, digits) => {
        const claimed = `${date.toISOString().slice(0, -1)}${digits}Z`
        expect(checkTimestamp(claimed, Date.UTC(2100, 0))).toEqual({
          ok: true,
          timestamp: claimed,
          epochMs: date.getTime(),
        })
      }),
      { numRuns: 300 },
    )
  })

  it('names a day exactly where the calendar has it', () => {
    const part = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_089 }), part(13), part(32), (year, month, day) => {
        const claimed = `${String(year).padStart(4, '0')}-${month}-${day}T00:00:00Z`
        const date = new Date(claimed)
        const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(claimed.slice(0, 10))
        expect(checkTimestamp(claimed, Date.UTC(2100, 0)).ok).toBe(exists)
      }),
      { numRuns: 1_000 },
    )
  })
})
