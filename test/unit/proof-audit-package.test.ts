import { describe, expect, test } from 'vitest'
import { encodeBase64url } from '../../src/core/ed25519/index.js'
import type { JsonObject } from '../../src/core/json/index.js'
import {
  type AuditLine,
  entryName,
  isAuditHeader,
  parseAuditJson,
  parseAuditLine,
  readAuditHeader,
  readKeyDocument,
} from '../../src/core/proof/index.js'
import { formatNote, fromLogProofJson, makeInclusionProof, toLogProofJson } from '../../src/core/tlog/index.js'
import { signerOfByte } from './proof-fixtures.js'
import { treeOf } from './tlog-trees.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const NOTE = {
  text: 'log.example\n3\nNmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n',
  signatures: [{ name: 'log.example', keyId: '01020304', signature: new Uint8Array(64).fill(7) }],
}
const NOTE_TEXT = new TextDecoder().decode(formatNote(NOTE))

async function hashes(): Promise<readonly Uint8Array[]> {
  const made = await makeInclusionProof(treeOf(5).deps, 2, 5)
  if (!made.ok) throw new Error(made.reason)
  return made.proof
}

describe('a log proof in JSON', () => {
  test('says what the text says', async () => {
    const logProof = { extra: null, index: 2, proof: await hashes(), checkpoint: NOTE }
    const json: unknown = JSON.parse(JSON.stringify({ ...toLogProofJson(logProof), size: 5 }))
    expect(fromLogProofJson(json)).toEqual({ ok: true, logProof })
  })

  test('is refused if a part of it is missing, of another kind, or has another spelling', async () => {
    const good = toLogProofJson({ extra: null, index: 2, proof: await hashes(), checkpoint: NOTE })
    const hash = good.proof[0] ?? ''
    const cases: readonly (readonly [unknown, string])[] = [
      [null, 'not-a-log-proof'],
      [[], 'not-a-log-proof'],
      [{ ...good, index: -1 }, 'bad-index'],
      [{ ...good, index: 0.5 }, 'bad-index'],
      [{ ...good, index: '2' }, 'bad-index'],
      [{ ...good, proof: hash }, 'bad-hash'],
      [{ ...good, proof: [7] }, 'bad-hash'],
      [{ ...good, proof: [hash.replace('=', '')] }, 'bad-hash'],
      [{ ...good, proof: [`${hash}\n${hash}`] }, 'bad-hash'],
      [{ ...good, proof: Array.from({ length: 64 }, () => hash) }, 'too-many-hashes'],
      [{ ...good, checkpoint: 7 }, 'no-signatures'],
      [{ ...good, checkpoint: NOTE.text }, 'no-signatures'],
    ]
    for (const [value, reason] of cases)
      expect(fromLogProofJson(value), JSON.stringify(value)).toEqual({ ok: false, reason })
  })
})

describe('an audit package', () => {
  const header: JsonObject = {
    type: 'audit-package',
    origin: 'log.example',
    checkpoint: NOTE_TEXT,
    keys: { keys: [] },
    policy: 'quorum none\n',
  }

  test('begins with a line that says so', () => {
    expect([header, { ...header, type: 'receipt' }, [header], 'audit-package', null].map(isAuditHeader)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
    expect(readAuditHeader(header)).toEqual({
      ok: true,
      header: {
        ...{ origin: 'log.example', checkpoint: NOTE, keys: { keys: [] }, policy: 'quorum none\n' },
        ...{ statements: [], endLine: false },
      },
    })
    for (const wrong of [{ origin: 7 }, { checkpoint: null }, { checkpoint: 'x' }, { policy: 7 }]) {
      expect(readAuditHeader({ ...header, ...wrong })).toMatchObject({ ok: false })
    }
  })

  const line = (value: unknown) => parseAuditLine(bytes(JSON.stringify(value)))

  test('goes on with a line a receipt, and one for each that was erased', async () => {
    const proof = await hashes()
    const place = { index: 2, proof: toLogProofJson({ extra: null, index: 2, proof, checkpoint: NOTE }).proof }
    const entry = new Uint8Array(32).fill(0xab)
    const cases: readonly (readonly [unknown, AuditLine])[] = [
      [
        { seq: 1, receipt: { id: 'a' }, ...place },
        { seq: 1, receipt: { id: 'a' }, entry: null, place: { index: 2, proof } },
      ],
      [
        { seq: 2, entry: entryName(entry), ...place },
        { seq: 2, receipt: null, entry, place: { index: 2, proof } },
      ],
      [
        { seq: 3, receipt: { id: 'b' } },
        { seq: 3, receipt: { id: 'b' }, entry: null, place: null },
      ],
    ]
    for (const [value, read] of cases) expect(line(value)).toEqual({ ok: true, line: read })
  })

  test('refuses lines that say less, or two things', () => {
    const wrong = [
      { receipt: {}, index: 0, proof: [] },
      { seq: 0, receipt: {}, index: 0, proof: [] },
      { seq: 1.5, receipt: {}, index: 0, proof: [] },
      { seq: 1, receipt: [], index: 0, proof: [] },
      { seq: 1, index: 0, proof: [] },
      { seq: 1, entry: 'sha256:ABC', index: 0, proof: [] },
      { seq: 1, receipt: {}, index: -1, proof: [] },
      { seq: 1, receipt: {}, index: 0 },
      { seq: 1, receipt: {}, index: 0, proof: ['x'] },
    ]
    for (const value of wrong) expect(line(value), JSON.stringify(value)).toMatchObject({ ok: false })
    expect(parseAuditLine(bytes('{"seq":1,"seq":2,"receipt":{}}'))).toEqual({
      ok: false,
      detail: 'It is not one clear JSON text (duplicate-name).',
    })
    expect(parseAuditJson(bytes('[1]'))).toEqual({ ok: true, value: [1] })
  })
})

describe('a document of public keys', () => {
  const [one, other] = [1, 2].map((byte) => signerOfByte(byte).key)
  const x = (key = one) => encodeBase64url(key?.bytes ?? new Uint8Array(0))

  test('is read as the server serves it, or as a single JWK', () => {
    const document = {
      keys: [
        { kid: 'a', x: x(), not_before: '2026-01-01T00:00:00.000Z', not_after: null },
        { key_id: 'b', public_key: x(other) },
      ],
    }
    const read = readKeyDocument(document)
    if (!read.ok) throw new Error(read.detail)
    expect([...read.keys]).toEqual([
      ['a', { keyId: 'a', key: one, notBefore: Date.parse('2026-01-01T00:00:00Z'), notAfter: null }],
      ['b', { keyId: 'b', key: other, notBefore: null, notAfter: null }],
    ])
    expect(readKeyDocument({ kty: 'OKP', crv: 'Ed25519', x: x(), kid: 'a' })).toMatchObject({ ok: true })
  })

  test('is refused as a whole if one key is none to rely on', () => {
    const good = { kid: 'a', x: x() }
    const wrong = [
      null,
      [],
      { keys: [] },
      { keys: [good, good] },
      { keys: [{ x: x() }] },
      { keys: [{ kid: 'a', x: 'AA' }] },
      { keys: [{ kid: 'a', x: encodeBase64url(new Uint8Array(32)) }] },
      { keys: [{ ...good, not_after: 'tomorrow' }] },
      { keys: Array.from({ length: 1_025 }, () => good) },
    ]
    for (const value of wrong) expect(readKeyDocument(value)).toMatchObject({ ok: false })
  })
})
