import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PublicKey } from '../../src/core/ed25519/index.js'
import { canonicalJson } from '../../src/core/json/index.js'
import { buildKeyStatement, signReceipt, verifyKeyStatement } from '../../src/core/proof/index.js'
import { KeyConfigurationError, type KeySettings } from '../../src/features/receipts/keys/signing-keys.js'
import { PublicKeyJwk, PublicKeys } from '../../src/features/receipts/schema.js'
import { sha256 } from '../../src/platform/sha256.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { ISSUER, keyOfByte, NO_KEY, newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { CLAIMS, nestedReceipt, nodeVerifier, signedBy, signerOfByte } from '../unit/proof-fixtures.js'

let database: TestDatabase
let running: ReceiptsInstance[]

beforeEach(async () => {
  database = await cloneDatabase()
  running = []
})
afterEach(async () => {
  for (const instance of running) await instance.close()
  await database.drop()
})

const publicOf = (byte: number) => Buffer.from(signerOfByte(byte).key.bytes).toString('base64url')
const keysOf = async (instance: ReceiptsInstance) =>
  PublicKeys.parse((await instance.call('/receipts/public-keys.json')).json)
const statusesOf = async (instance: ReceiptsInstance) =>
  Object.fromEntries((await keysOf(instance)).keys.map((key) => [key.key_id, key.status]))

async function start(settings: KeySettings): Promise<ReceiptsInstance> {
  const instance = await startReceipts(database.url, settings)
  running.push(instance)
  return instance
}

async function stop(instance: ReceiptsInstance): Promise<void> {
  running = running.filter((other) => other !== instance)
  await instance.close()
}

describe('the public key', () => {
  it.each(['/receipts', '/api/v1/receipts'])('is served under %s in every form', async (base) => {
    const one = await start(keyOfByte(1))
    const [pem, jwk, list] = await Promise.all(
      ['public-key.pem', 'public-key.jwk', 'public-keys.json'].map((name) => one.call(`${base}/${name}`)),
    )
    expect([pem?.status, jwk?.status, list?.status]).toEqual([200, 200, 200])
    expect([pem, jwk, list].map((answer) => answer?.headers.get('content-type'))).toEqual([
      'application/x-pem-file',
      'application/jwk+json',
      'application/json',
    ])
    expect(new Set([pem, jwk, list].map((answer) => answer?.headers.get('cache-control')))).toEqual(
      new Set(['public, max-age=60']),
    )
    const kid = one.receipts.keyState.keyId
    expect(PublicKeyJwk.strict().parse(jwk?.json)).toEqual({ kty: 'OKP', crv: 'Ed25519', x: publicOf(1), kid })
    expect(list?.json).toEqual({
      keys: [
        {
          ...{ key_id: kid, public_key: publicOf(1), algorithm: 'Ed25519', format: 'base64url' },
          ...{ kid, kty: 'OKP', crv: 'Ed25519', x: publicOf(1), status: 'active' },
          ...{ not_before: '2026-03-01T12:00:00.000Z', not_after: null },
        },
      ],
      current_key_id: kid,
    })
  })

  it('as PEM verifies a receipt with openssl', async (context) => {
    const run = promisify(execFile)
    const hasOpenssl = await run('openssl', ['version']).then(
      () => true,
      () => false,
    )
    if (!hasOpenssl) return context.skip('no openssl on the PATH')
    const one = await start(keyOfByte(1))
    const { text } = await one.issue(CLAIMS, newProject())
    const [member = '', signature = ''] = /"signature":"ed25519:([^"]+)",/.exec(text) ?? []
    const directory = await mkdtemp(join(tmpdir(), 'llmring-openssl-'))
    const file = (name: string) => join(directory, name)
    try {
      await writeFile(file('key.pem'), (await one.call('/receipts/public-key.pem')).text)
      await writeFile(file('message'), text.replace(member, ''))
      await writeFile(file('signature'), Buffer.from(signature, 'base64url'))
      const shown = await run('openssl', ['pkey', '-pubin', '-in', file('key.pem'), '-text', '-noout'])
      expect(shown.stdout).toContain('ED25519 Public-Key')
      const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', file('key.pem'), '-rawin']
      const verified = await run('openssl', [...verify, '-in', file('message'), '-sigfile', file('signature')])
      expect(verified.stdout).toContain('Signature Verified Successfully')
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})

describe('an installation', () => {
  it('without any key has no key to show, issues nothing and stores nothing', async () => {
    const one = await start(NO_KEY)
    for (const name of ['public-key.pem', 'public-key.jwk', 'public-keys.json']) {
      expect((await one.call(`/receipts/${name}`)).status).toBe(404)
    }
    const issued = await one.issue(CLAIMS, newProject())
    expect([issued.status, issued.json]).toMatchObject([503, { code: 'receipts-not-configured' }])
    const stored = await one.store(signedBy(1, nestedReceipt), newProject())
    expect([stored.status, stored.json]).toMatchObject([400, { code: 'receipt-not-verified' }])
  })

  it('with a public key alone verifies and stores, cannot issue, and leaves no key behind', async () => {
    const one = await start({ privateKey: undefined, publicKey: publicOf(1), keyId: 'key-1' })
    expect(one.receipts.keyState).toEqual({ canIssue: false, keyId: 'key-1' })
    expect((await one.issue(CLAIMS, newProject())).status).toBe(503)
    expect((await one.verify(signedBy(1, nestedReceipt))).json).toMatchObject({ valid: true })
    expect((await one.store(signedBy(1, nestedReceipt), newProject())).status).toBe(200)
    expect((await one.call('/receipts/public-key.pem')).status).toBe(200)
    expect(await keysOf(one)).toMatchObject({ current_key_id: 'key-1', keys: [{ not_before: null }] })
    await stop(one)
    expect((await (await start(NO_KEY)).call('/receipts/public-keys.json')).status).toBe(404)
  })

  it('does not start with a key id that stands for another key already', async () => {
    await stop(await start(keyOfByte(1, 'shared')))
    await expect(start(keyOfByte(2, 'shared'))).rejects.toThrow(KeyConfigurationError)
    await expect(start({ privateKey: undefined, publicKey: publicOf(2), keyId: 'shared' })).rejects.toThrow(
      /another public key/,
    )
    const one = await start(keyOfByte(1, 'shared'))
    expect(await statusesOf(one)).toEqual({ shared: 'active' })
  })
})

describe('a new key', () => {
  it('follows the old one, whose receipts still verify and can still be stored', async () => {
    const project = newProject()
    const old = await start(keyOfByte(1, 'old'))
    const issued = await old.issue({ ...CLAIMS, id: 'kept' }, project)
    await stop(old)
    const now = await start(keyOfByte(2, 'new', 1))
    const { current_key_id, keys } = await keysOf(now)
    expect(current_key_id).toBe('new')
    expect(keys.map((key) => [key.key_id, key.status, key.not_after])).toEqual([
      ['new', 'active', null],
      ['old', 'retired', '2026-03-01T12:00:00.000Z'],
    ])
    expect((await now.verify(issued.json)).json).toMatchObject({ valid: true, key_id: 'old' })
    expect((await now.store(issued.json, project)).status).toBe(200)
    expect((await now.call('/api/v1/receipts/kept', { project })).text).toBe(issued.text)
    expect((await now.verify(signedBy(1, flatWithout()))).json).toMatchObject({ valid: true, key_id: 'old' })
  })

  it('is learnt by the instances that still run with the old one, when they meet it', async () => {
    const old = await start(keyOfByte(1, 'old'))
    const now = await start(keyOfByte(2, 'new', 1))
    const { json } = await now.issue(CLAIMS, newProject())
    const unnamed = signedBy(2, flatWithout())
    // At this moment the old instance looked already: once a second is enough.
    expect((await old.verify(json)).json).toMatchObject({ valid: false })
    old.advance(1_000)
    expect((await old.verify(json)).json).toMatchObject({ valid: true, key_id: 'new' })
    expect((await old.verify(unnamed)).json).toMatchObject({ valid: true, key_id: 'new' })
    expect(await statusesOf(old)).toEqual({ old: 'retired', new: 'active' })
  })

  it('is learnt for a receipt that names no key, too', async () => {
    const old = await start(keyOfByte(1, 'old'))
    await start(keyOfByte(2, 'new', 1))
    old.advance(1_000)
    expect((await old.verify(signedBy(2, flatWithout()))).json).toMatchObject({ valid: true, key_id: 'new' })
  })

  it('ends the old one once: a rollout whose instances restart in any order changes nothing more', async () => {
    await start(keyOfByte(1, 'old'))
    const now = await start(keyOfByte(2, 'new', 1))
    const before = await keysOf(now)
    for (const settings of [keyOfByte(1, 'old'), keyOfByte(2, 'new', 1), keyOfByte(1, 'old')]) {
      await stop(await start(settings))
    }
    now.advance(5_000)
    expect(await keysOf(now)).toEqual(before)
  })

  it('that several instances bring at once is registered once', async () => {
    const started = await Promise.all(Array.from({ length: 4 }, () => start(keyOfByte(3, 'third'))))
    for (const instance of started) expect(await statusesOf(instance)).toEqual({ third: 'active' })
  })

  it('among several new ones at once: the one that comes first follows, and the others are refused', async () => {
    await start(keyOfByte(1, 'key-1'))
    const outcomes = await Promise.allSettled([2, 3, 4].map((byte) => start(keyOfByte(byte, `key-${byte}`, 1))))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    const statuses = await statusesOf(await start(keyOfByte(1, 'key-1')))
    expect(Object.values(statuses).sort()).toEqual(['active', 'retired'])
  })

  it('and the old one stay listed where no key is configured any more', async () => {
    const old = await start(keyOfByte(1, 'old'))
    const { json } = await old.issue(CLAIMS, newProject())
    await stop(old)
    const none = await start(NO_KEY)
    expect(await keysOf(none)).toMatchObject({ current_key_id: null, keys: [{ key_id: 'old' }] })
    expect((await none.verify(json)).json).toMatchObject({ valid: true })
    expect((await none.call('/receipts/public-key.pem')).status).toBe(404)
  })
})

/** The statements as they are served, and what their verification says, each under the keys that were stated before. */
async function statementsOf(instance: ReceiptsInstance) {
  const { text } = await instance.call('/receipts/key-statements.ndjson')
  const lines = text.split('\n').slice(0, -1)
  const known = new Map<string, PublicKey>()
  const verdicts: unknown[] = []
  for (const line of lines) {
    const verdict = await verifyKeyStatement(nodeVerifier(), known, JSON.parse(line))
    verdicts.push(verdict.ok ? [verdict.oldKeyId, verdict.newKeyId] : verdict.reason)
    if (verdict.ok) known.set(verdict.newKeyId, verdict.newKey)
  }
  return { lines, verdicts }
}

describe('the statement of a new key', () => {
  it('is signed by the key before, served to everybody, and an entry of the log', async () => {
    await start(keyOfByte(1, 'first'))
    await start(keyOfByte(2, 'second', 1))
    const last = await start(keyOfByte(3, 'third', 2))
    const { lines, verdicts } = await statementsOf(last)
    expect(verdicts).toEqual([
      [null, 'first'],
      ['first', 'second'],
      ['second', 'third'],
    ])
    for (const line of lines) {
      expect(canonicalJson(JSON.parse(line))).toMatchObject({ text: line })
      const entry = Buffer.from(sha256(Buffer.from(line)))
      const pending = await last.database.sql`select 1 from log_pending where entry = ${entry}`
      expect(pending).toHaveLength(1)
    }
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      ...{ type: 'key-statement/v1', issuer: ISSUER, old_key_id: 'first', at: '2026-03-01T12:00:00.000Z' },
      new_key: { kid: 'second', x: publicOf(2) },
    })
  })

  it('is made once by instances that bring the new key at once, and not again by later starts', async () => {
    await start(keyOfByte(1, 'first'))
    await Promise.all(Array.from({ length: 3 }, () => start(keyOfByte(2, 'second', 1))))
    for (const settings of [keyOfByte(1, 'first'), keyOfByte(2, 'second'), keyOfByte(2, 'second', 1)]) {
      await stop(await start(settings))
    }
    const { verdicts } = await statementsOf(await start(keyOfByte(2, 'second')))
    expect(verdicts).toEqual([
      [null, 'first'],
      ['first', 'second'],
    ])
  })

  it('has to be there: without the old key, or with another, the start is refused with the way out', async () => {
    await start(keyOfByte(1, 'first'))
    const refused = /PREVIOUS_B64 is not set.*'first'.*signing-key rotate.*lost/
    await expect(start(keyOfByte(2, 'second'))).rejects.toThrow(refused)
    await expect(start(keyOfByte(2, 'second', 3))).rejects.toThrow(/PREVIOUS_B64 is another key/)
    await expect(start(keyOfByte(2, 'second', 2))).rejects.toMatchObject({ exitCode: 78 })
    expect(await statusesOf(await start(keyOfByte(1, 'first')))).toEqual({ first: 'active' })
    await start(keyOfByte(2, 'second', 1))
    // The newest key speaks, not any that once signed.
    await expect(start(keyOfByte(3, 'third', 1))).rejects.toThrow(KeyConfigurationError)
  })

  it('of a key whose predecessor is lost says so', async () => {
    await start(keyOfByte(1, 'first'))
    const next = await start({ ...keyOfByte(2, 'second'), previousKey: 'lost' })
    expect((await statementsOf(next)).verdicts).toEqual([
      [null, 'first'],
      [null, 'second'],
    ])
  })

  it.each([
    ['another new key', { new_key: { kid: 'second', x: publicOf(4) } }, 'bad-signature'],
    ['another time', { at: '2026-03-01T12:00:00.001Z' }, 'bad-signature'],
    ['another issuer', { issuer: 'elsewhere.example/log' }, 'bad-signature'],
    ['no old key', { old_key_id: null }, 'bad-signature'],
    ['an old key that is not known', { old_key_id: 'other' }, 'unknown-key'],
    ['a new key that is unsafe', { new_key: { kid: 'second', x: 'A'.repeat(43) } }, 'unsafe-key'],
    ['a signature with another spelling', { signature: `ed25519:${'A'.repeat(85)}B` }, 'bad-signature'],
    ['another type', { type: 'key-statement/v2' }, 'not-a-statement'],
    ['a key id that is no text', { old_key_id: 7 }, 'not-a-statement'],
    ['no new key', { new_key: null }, 'not-a-statement'],
  ])('with %s does not hold', async (_name, change, reason) => {
    const { key, sign } = signerOfByte(1)
    const newKey = signerOfByte(2).key
    const unsigned = buildKeyStatement({
      issuer: ISSUER,
      oldKeyId: 'first',
      newKeyId: 'second',
      newKey,
      at: new Date(0),
    })
    const signed = signReceipt({ sign }, unsigned)
    if (!signed.ok) throw new Error(signed.reason)
    const keys = new Map([['first', key]])
    expect(await verifyKeyStatement(nodeVerifier(), keys, signed.receipt)).toMatchObject({ ok: true })
    const changed = { ...signed.receipt, ...change }
    expect(await verifyKeyStatement(nodeVerifier(), keys, changed)).toEqual({ ok: false, reason })
  })
})

/** A receipt that names no key. */
function flatWithout() {
  return { receipt_id: randomUUID(), model: 'gpt-4o-mini', total_cost: 0.5 }
}
