import { describe, expect, it } from 'vitest'
import type { VerifierDeps } from '../../src/core/ed25519/index.js'
import { type JsonObject, parseStrictJson } from '../../src/core/json/index.js'
import { type KnownKeys, signReceipt, unnamedKeysTriedMax, verifyReceipt } from '../../src/core/proof/index.js'
import { flatReceipt, nestedReceipt, nodeVerifier, portableVerifier, signerOfByte } from './proof-fixtures.js'

const ours = signerOfByte(1)
const theirs = signerOfByte(2)
const keys: KnownKeys = new Map([
  ['key-1', ours.key],
  ['key-2', theirs.key],
])

function signed(unsigned: JsonObject, signer = ours): JsonObject & { readonly signature: string } {
  const result = signReceipt({ sign: signer.sign }, unsigned)
  if (!result.ok) throw new Error(result.reason)
  return result.receipt
}

const failures = (receipt: unknown, known = keys, deps: VerifierDeps<boolean> = nodeVerifier()) =>
  verifyReceipt(deps, known, receipt)
    .checks.filter((check) => !check.ok)
    .map((check) => check.name)

describe.each([
  ['node:crypto', nodeVerifier()],
  ['the portable verifier', portableVerifier()],
])('a receipt that is verified with %s', (_, deps) => {
  it('is valid under the key that it names, and every check says so', () => {
    const report = verifyReceipt(deps, keys, signed(nestedReceipt))
    expect(report).toMatchObject({ receiptId: nestedReceipt.id, valid: true, algorithm: 'Ed25519', keyId: 'key-1' })
    expect(report.checks.map((check) => [check.name, check.ok])).toEqual([
      ['structure', true],
      ['canonical', true],
      ['key', true],
      ['signature-encoding', true],
      ['signature', true],
    ])
  })

  it('is valid in the flat shape under whichever known key made it', () => {
    expect(verifyReceipt(deps, keys, signed(flatReceipt, theirs))).toMatchObject({ valid: true, keyId: 'key-2' })
    expect(verifyReceipt(deps, keys, signed(flatReceipt, signerOfByte(3)))).toMatchObject({ valid: false, keyId: null })
  })

  it('is invalid under another key than the one that it names, though we know that key too', () => {
    expect(verifyReceipt(deps, keys, signed(nestedReceipt, theirs))).toMatchObject({ valid: false, keyId: null })
    expect(verifyReceipt(deps, keys, signed({ ...flatReceipt, key_id: 'key-1' }, theirs)).valid).toBe(false)
  })
})

describe('a receipt', () => {
  it('is invalid once any member changes, comes or goes', () => {
    const receipt = signed(nestedReceipt)
    const { alias: _, ...shorter } = receipt
    for (const changed of [
      { ...receipt, model: 'gpt-4o' },
      { ...receipt, tokens: { ...nestedReceipt.tokens, input: 1_201 } },
      { ...receipt, cost: { ...nestedReceipt.cost, amount: '0.00036' } },
      { ...receipt, extra: null },
      { ...receipt, id: 'rcpt_another' },
      shorter,
    ]) {
      expect(failures(changed)).toEqual(['signature'])
    }
  })

  it('is valid in whatever order and spelling its members come', () => {
    const receipt = signed({ ...nestedReceipt, note: 'é\u{1f600}' })
    const shuffled = `{ ${Object.entries(receipt)
      .reverse()
      .map(([name, value]) => `${JSON.stringify(name)} : ${JSON.stringify(value).replace('é', '\\u00e9')}`)
      .join(' , ')} }`
    const parsed = parseStrictJson(shuffled)
    expect(failures(parsed.ok ? parsed.value : null)).toEqual([])
  })

  it('that names an unknown key fails there and is not tried under others', () => {
    const never: VerifierDeps<boolean> = {
      verifyEd25519: () => {
        throw new Error('must not be asked')
      },
    }
    expect(failures(signed({ ...nestedReceipt, key_id: 'key-9' }), keys, never)).toEqual(['key', 'signature'])
    expect(failures(signed({ ...nestedReceipt, key_id: '__proto__' }), keys, never)).toEqual(['key', 'signature'])
  })

  it('that names no key fails where no key is known', () => {
    expect(failures(signed(flatReceipt), new Map())).toEqual(['key', 'signature'])
  })

  it('that names no key is tried under a bounded number of keys', () => {
    let asked = 0
    const counting: VerifierDeps<boolean> = {
      verifyEd25519: () => {
        asked += 1
        return false
      },
    }
    const many = new Map(Array.from({ length: 1_000 }, (_, at) => [`key-${at}`, ours.key]))
    expect(failures(signed(flatReceipt), many, counting)).toEqual(['signature'])
    expect(asked).toBe(unnamedKeysTriedMax)
  })

  it.each<[string, unknown, string[]]>([
    ['is no object', 'x', ['structure', 'canonical', 'key', 'signature-encoding', 'signature']],
    ['has no signature', nestedReceipt, ['structure', 'canonical', 'key', 'signature-encoding', 'signature']],
    ['has an unsafe integer', { ...signed(nestedReceipt), n: 2 ** 53 }, ['canonical', 'signature']],
    ['has half a surrogate pair', { ...signed(nestedReceipt), n: '\ud800' }, ['canonical', 'signature']],
    ['is too large', { ...signed(nestedReceipt), n: 'x'.repeat(70_000) }, ['canonical', 'signature']],
    [
      'has a padded signature',
      { ...nestedReceipt, signature: `${signed(nestedReceipt).signature}==` },
      ['signature-encoding', 'signature'],
    ],
    [
      'is wrong in every way',
      { ...nestedReceipt, key_id: 'no', n: Number.NaN, signature: '' },
      ['canonical', 'key', 'signature-encoding', 'signature'],
    ],
  ])('that %s fails the checks that it fails', (_, receipt, names) => {
    expect(failures(receipt)).toEqual(names)
  })

  it('that cannot be verified is still reported under its id, with a reason in words', () => {
    const report = verifyReceipt(nodeVerifier(), keys, nestedReceipt)
    expect(report.receiptId).toBe(nestedReceipt.id)
    expect(report.checks[0]?.detail).toBe('It has no signature member that is a string.')
    const canonical = verifyReceipt(nodeVerifier(), keys, { ...signed(nestedReceipt), a: [{ b: Number.NaN }] })
    expect(canonical.checks[1]?.detail).toContain('/a/0/b')
    const unknown = verifyReceipt(nodeVerifier(), keys, signed({ ...nestedReceipt, key_id: 'key-9' }))
    expect(unknown.checks[2]?.detail).toBe('Key "key-9" is not known here.')
    expect(unknown.checks[4]?.detail).toBe('Not checked, because an earlier check failed.')
  })

  it('of hostile values makes a report, never an exception', () => {
    const cyclic: Record<string, unknown> = { id: 'r', signature: '' }
    cyclic['self'] = cyclic
    for (const hostile of [
      undefined,
      null,
      0,
      1n,
      Symbol('x'),
      () => 1,
      [],
      cyclic,
      new Date(),
      { id: {}, signature: [] },
    ]) {
      expect(verifyReceipt(nodeVerifier(), keys, hostile).valid).toBe(false)
    }
  })
})

describe('a verifier that answers later', () => {
  it('gives the same report, later, whichever key it was', async () => {
    const deps: VerifierDeps = { verifyEd25519: async (...given) => nodeVerifier().verifyEd25519(...given) }
    const receipt = signed(flatReceipt, theirs)
    expect(await verifyReceipt(deps, keys, receipt)).toEqual(verifyReceipt(nodeVerifier(), keys, receipt))
    const forged = { ...receipt, model: 'gpt-4o' }
    expect(await verifyReceipt(deps, keys, forged)).toEqual(verifyReceipt(nodeVerifier(), keys, forged))
  })
})
