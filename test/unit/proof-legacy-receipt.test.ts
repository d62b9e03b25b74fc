import { describe, expect, it } from 'vitest'
import { parseSignature } from '../../src/core/ed25519/index.js'
import type { JsonObject } from '../../src/core/json/index.js'
import { type KnownKeys, legacyReceiptRule, signReceipt, verifyReceipt } from '../../src/core/proof/index.js'
import {
  flatReceipt,
  hexBytes,
  nestedReceipt,
  nodeVerifier,
  portableVerifier,
  signerOf,
  signerOfByte,
} from './proof-fixtures.js'
import {
  BATCH,
  BATCH_SIGNED,
  LEGACY_PUBLIC_KEY,
  LEGACY_SEED,
  SINGLE,
  SINGLE_FETCHED,
  SINGLE_SIGNED,
} from './proof-legacy-vectors.js'

const signer = signerOf(LEGACY_SEED)
const keys: KnownKeys = new Map([
  ['other', signerOfByte(2).key],
  ['old', signer.key],
])
const verify = (receipt: unknown, known = keys) => verifyReceipt(nodeVerifier(), known, receipt)
const batch = JSON.parse(BATCH) as JsonObject
const single = JSON.parse(SINGLE) as JsonObject

/** A receipt that is signed with one content and sent with another. */
function signedAs(signed: JsonObject, sent: JsonObject): JsonObject {
  const result = signReceipt(signer, signed)
  if (!result.ok) throw new Error(result.reason)
  return { ...sent, signature: result.receipt.signature }
}
const UTC = '2025-11-03T17:05:00+00:00'
const sentAt = (timestamp: string) => ({ ...flatReceipt, timestamp })

describe('the vectors', () => {
  it('are signed by the key that they say, over the bytes that they say', () => {
    expect(signer.key.bytes).toEqual(hexBytes(LEGACY_PUBLIC_KEY))
    for (const [sent, signed] of [
      [batch, BATCH_SIGNED],
      [single, SINGLE_SIGNED],
    ] as const) {
      const signature = parseSignature(String(sent['signature']))
      const message = new TextEncoder().encode(signed)
      expect(signature.ok && nodeVerifier().verifyEd25519(signer.key.bytes, message, signature.bytes)).toBe(true)
    }
  })
})

describe.each([
  ['node:crypto', nodeVerifier()],
  ['the portable verifier', portableVerifier()],
])('a receipt of the last Python server, verified with %s', (_, deps) => {
  it.each([
    ['a batch', BATCH, ['receipt_type', 'batch_summary', 'description', 'tags']],
    ['a single one', SINGLE, []],
    ['one that was read back there', SINGLE_FETCHED, []],
  ])('is invalid as it stands, and holds by the legacy rule: %s', (_name, text, unsignedMembers) => {
    const report = verifyReceipt(deps, keys, JSON.parse(text))
    expect(report).toMatchObject({ valid: false, keyId: null })
    expect(report.checks.filter((check) => !check.ok).map((check) => check.name)).toEqual(['signature'])
    expect(report.legacy).toEqual({ rule: legacyReceiptRule, keyId: 'old', unsignedMembers })
  })

  it('holds for a verifier that answers later, too', async () => {
    const later = { verifyEd25519: async (...of: Parameters<typeof deps.verifyEd25519>) => deps.verifyEd25519(...of) }
    expect(await verifyReceipt(later, keys, batch)).toEqual(verifyReceipt(deps, keys, batch))
    const forged = { ...batch, model: 'batch:1 calls' }
    expect(await verifyReceipt(later, keys, forged)).toMatchObject({ valid: false, legacy: null })
  })
})

describe('the legacy rule', () => {
  it('vouches for no more than was signed: the members behind the signature may say anything', () => {
    const forged = { ...batch, description: 'paid twice', batch_summary: null }
    expect(verify(forged).legacy).toMatchObject({
      keyId: 'old',
      unsignedMembers: expect.arrayContaining(['description']),
    })
    expect(verify({ ...single, tags: [] }).legacy?.unsignedMembers).toEqual(['tags'])
  })

  it.each<[string, object]>([
    ['a signed member that was changed', { model: 'batch:3 calls' }],
    ['another time', { timestamp: '2025-11-14T09:26:53.589794Z' }],
    ['a member that the rule does not know', { note: '' }],
    ['a member less', { provider: undefined }],
    ['an offset in place of the Z', { timestamp: '2025-11-14T09:26:53.589793+00:00' }],
    ['a small z', { timestamp: '2025-11-14T09:26:53.589793z' }],
    ['a time that is no text', { timestamp: 1_763_112_413 }],
    ['two ids', { id: 'rcpt_5d1f0c9a7b3e4d62' }],
  ])('does not hold for %s', (_, change) => {
    const receipt = JSON.parse(JSON.stringify({ ...batch, ...change }))
    expect(verify(receipt)).toMatchObject({ valid: false, legacy: null })
  })

  it('needs a key that is known, and the one that is named', () => {
    expect(verify(batch, new Map([['other', signerOfByte(2).key]])).legacy).toBeNull()
    expect(verify(batch, new Map()).legacy).toBeNull()
    const named = (keyId: string) => {
      const members = { ...flatReceipt, key_id: keyId }
      return verify(signedAs({ ...members, timestamp: UTC }, { ...members, timestamp: '2025-11-03T17:05:00Z' }))
    }
    expect(named('old').legacy).toMatchObject({ keyId: 'old' })
    expect(named('other').legacy).toBeNull()
  })

  it('is for the flat shape only: nested receipts are signed as they stand', () => {
    const { key_id: _, ...members } = nestedReceipt
    const receipt = signedAs({ ...members, timestamp: UTC }, { ...members, timestamp: '2025-11-03T17:05:00Z' })
    expect(verify(receipt)).toMatchObject({ valid: false, legacy: null })
  })

  it('knows microseconds in six digits and whole seconds, as Python writes them, and no other fraction', () => {
    for (const [fraction, holds] of [
      ['', true],
      ['.000001', true],
      ['.123', false],
      ['.1234567', false],
    ] as const) {
      const at = `2025-11-03T17:05:00${fraction}`
      const receipt = signedAs(sentAt(`${at}+00:00`), sentAt(`${at}Z`))
      expect([fraction, verify(receipt).legacy !== null]).toEqual([fraction, holds])
    }
  })

  it('is not asked about a receipt that verifies as it stands', () => {
    for (const timestamp of ['2025-11-03T17:05:00Z', '2025-11-03T17:05:00', UTC]) {
      const receipt = signedAs(sentAt(timestamp), sentAt(timestamp))
      expect(verify(receipt)).toMatchObject({ valid: true, keyId: 'old', legacy: null })
    }
  })
})
