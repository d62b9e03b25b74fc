import { beforeAll, describe, expect, test } from 'vitest'
import { formatSignature } from '../../src/core/ed25519/index.js'
import { canonicalJson, type JsonObject } from '../../src/core/json/index.js'
import {
  buildKeyStatement,
  createHistory,
  followStatements,
  judgeDocument,
  parseKeyStatements,
  readKeyDocument,
  readPins,
} from '../../src/core/proof/index.js'
import { bytes, chainOf, ORIGIN } from '../support/audit-world.js'
import { nodeVerifier, signerOfByte } from './proof-fixtures.js'
import { sha256 } from './tlog-trees.js'

const deps = { ...nodeVerifier(), sha256 }
const DAY = 86_400_000
const BEGIN = Date.parse('2026-01-01T00:00:00.000Z')

/** That the key of one byte is followed by that of another, signed by the key of a third. */
function statement(oldKeyId: string | null, by: number, newKeyId: string, next: number, day = 0): JsonObject {
  const { key: newKey } = signerOfByte(next)
  const change = { issuer: ORIGIN, oldKeyId, newKeyId, newKey, at: new Date(BEGIN + day * DAY) }
  const unsigned = buildKeyStatement(change)
  const canonical = canonicalJson(unsigned)
  if (!canonical.ok) throw new Error(canonical.reason)
  return { ...unsigned, signature: formatSignature(signerOfByte(by).sign(canonical.bytes)) }
}

const keysText = (byte = 1, more: object = {}): string =>
  JSON.stringify({
    keys: [{ kid: 'key-1', x: Buffer.from(signerOfByte(byte).key.bytes).toString('base64url'), ...more }],
  })
const pinned = (more: object = {}) => {
  const read = readKeyDocument(JSON.parse(keysText(1, more)))
  if (!read.ok) throw new Error(read.detail)
  return read.keys
}
const follow = async (...statements: readonly JsonObject[]) => {
  const keys = (await followStatements(deps, pinned(), statements)) ?? new Map()
  return [...keys].map(([keyId, { notBefore, notAfter }]) => [keyId, dayOf(notBefore), dayOf(notAfter)])
}
const dayOf = (ms: number | null) => (ms === null ? null : (ms - BEGIN) / DAY)

describe('statements of changed keys', () => {
  test('lead from a pinned key to the one that signs now, each from its time on and no longer than it was used', async () => {
    const second = statement('key-1', 1, 'key-2', 11, 10)
    const third = statement('key-2', 11, 'key-3', 12, 20)
    expect(await follow(second, third)).toEqual([
      ['key-1', null, 10],
      ['key-2', 10, 20],
      ['key-3', 20, null],
    ])
    // Back to the first one: it has no end any more.
    expect(await follow(second, statement('key-2', 11, 'key-1', 1, 30))).toEqual([
      ['key-1', null, null],
      ['key-2', 10, 30],
    ])
  })

  test('are followed only where a known key signed them', async () => {
    const alone = [['key-1', null, null]]
    expect(await follow(statement(null, 11, 'key-2', 11))).toEqual(alone)
    expect(await follow(statement('key-1', 13, 'key-2', 11))).toEqual(alone)
    expect(await follow(statement('key-9', 13, 'key-2', 11))).toEqual(alone)
    expect(await follow({ ...statement('key-1', 1, 'key-2', 11), at: '2026-02-01T00:00:00.000Z' })).toEqual(alone)
    // The one that leads there comes later.
    expect(await follow(statement('key-2', 11, 'key-3', 12), statement('key-1', 1, 'key-2', 11))).toHaveLength(2)
    expect(await follow({}, { type: 'key-statement/v1' })).toEqual(alone)
  })

  test('replace no key that is pinned, and take no end back that the auditor set', async () => {
    const usurped = await followStatements(deps, pinned(), [statement('key-1', 1, 'key-1', 11)])
    expect(usurped?.get('key-1')?.key.bytes).toEqual(signerOfByte(1).key.bytes)
    // Nor does a stranger to its name give it back its time, or end the key that says so.
    expect(await follow(statement('key-1', 1, 'key-2', 11, 10), statement('key-2', 11, 'key-1', 13, 20))).toEqual([
      ['key-1', null, 10],
      ['key-2', 10, null],
    ])
    const ended = await followStatements(deps, pinned({ not_after: '2026-01-03T00:00:00.000Z' }), [
      statement('key-1', 1, 'key-2', 11, 10),
      statement('key-2', 11, 'key-1', 1, 20),
    ])
    expect(dayOf(ended?.get('key-1')?.notAfter ?? null)).toBe(2)
    expect(await followStatements(deps, null, [statement('key-1', 1, 'key-2', 11)])).toBeNull()
  })

  test('are read as they are served, and refused in any other spelling', () => {
    const lines = [statement('key-1', 1, 'key-2', 11), statement('key-2', 11, 'key-3', 12)].map((one) => {
      const canonical = canonicalJson(one)
      return canonical.ok ? canonical.text : ''
    })
    expect(parseKeyStatements(bytes(lines.map((line) => `${line}\n`).join('')))).toMatchObject({ ok: true })
    expect(parseKeyStatements(bytes(''))).toEqual({ ok: true, statements: [] })
    for (const text of ['{', ` ${lines[0]}`, `${lines[0]}\n\n${lines[1]}`, '{"a":1,"a":1}', `"${'x'.repeat(5_000)}"`]) {
      expect(parseKeyStatements(bytes(text)), text.slice(0, 20)).toMatchObject({ ok: false })
    }
    expect(parseKeyStatements(bytes('{}\n'.repeat(1_025)))).toMatchObject({ ok: false, detail: /1024 lines/ })
  })
})

describe('a receipt of a key that came later', () => {
  let text: string
  beforeAll(() => {
    const [receipt = {}] = chainOf(1)
    const { signature: _, ...unsigned } = { ...receipt, key_id: 'key-2' } as JsonObject
    const canonical = canonicalJson(unsigned)
    if (!canonical.ok) throw new Error(canonical.reason)
    text = JSON.stringify({ ...unsigned, signature: formatSignature(signerOfByte(11).sign(canonical.bytes)) })
  })

  async function* once() {
    yield bytes(text)
  }
  const judge = async (statements: string | null) => {
    const pins = await readPins(deps, {
      ...{ keys: bytes(keysText()), policy: null, checkpoints: [] },
      statements: statements === null ? null : bytes(statements),
    })
    if (!pins.ok) throw new Error(pins.detail)
    const terms = {
      ...pins,
      project: null,
      anyTime: false,
      strict: false,
      trustEmbedded: false,
      history: createHistory(),
    }
    const { receipts } = await judgeDocument(deps, terms, { document: once(), proof: null, member: null })
    const of = (name: string) => receipts[0]?.checks.find((check) => check.name === name)?.status
    return [of('key'), of('signature'), of('key-period')]
  }

  test('verifies with the old pin and the statement, and is not decided without it', async () => {
    const canonical = canonicalJson(statement('key-1', 1, 'key-2', 11))
    expect(await judge(null)).toEqual(['undecided', 'skipped', 'skipped'])
    expect(await judge(canonical.ok ? canonical.text : '')).toEqual(['passed', 'passed', 'passed'])
    const later = canonicalJson(statement('key-1', 1, 'key-2', 11, 365))
    expect(await judge(later.ok ? later.text : '')).toEqual(['passed', 'passed', 'failed'])
    expect(await readPins(deps, { keys: null, policy: null, checkpoints: [], statements: bytes('{') })).toMatchObject({
      ok: false,
      what: 'statements',
    })
  })
})
