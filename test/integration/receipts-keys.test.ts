import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PublicKeyJwk, PublicKeys } from '../../src/features/receipts/schema.js'
import { KeyConfigurationError, type KeySettings } from '../../src/features/receipts/signing-keys.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { keyOfByte, NO_KEY, newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { CLAIMS, nestedReceipt, signedBy, signerOfByte } from '../unit/proof-fixtures.js'

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
    const now = await start(keyOfByte(2, 'new'))
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
    const now = await start(keyOfByte(2, 'new'))
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
    await start(keyOfByte(2, 'new'))
    old.advance(1_000)
    expect((await old.verify(signedBy(2, flatWithout()))).json).toMatchObject({ valid: true, key_id: 'new' })
  })

  it('ends the old one once: a rollout whose instances restart in any order changes nothing more', async () => {
    await start(keyOfByte(1, 'old'))
    const now = await start(keyOfByte(2, 'new'))
    const before = await keysOf(now)
    for (const settings of [keyOfByte(1, 'old'), keyOfByte(2, 'new'), keyOfByte(1, 'old')]) {
      await stop(await start(settings))
    }
    now.advance(5_000)
    expect(await keysOf(now)).toEqual(before)
  })

  it('that several instances bring at once is registered once', async () => {
    const started = await Promise.all(Array.from({ length: 4 }, () => start(keyOfByte(3, 'third'))))
    for (const instance of started) expect(await statusesOf(instance)).toEqual({ third: 'active' })
  })

  it('among several new ones at once: exactly one is left active', async () => {
    await Promise.all([1, 2, 3, 4].map((byte) => start(keyOfByte(byte, `key-${byte}`))))
    const last = await start(keyOfByte(1, 'key-1'))
    const statuses = Object.values(await statusesOf(last))
    expect(statuses.filter((status) => status === 'active')).toHaveLength(1)
    expect(statuses).toHaveLength(4)
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

/** A receipt that names no key. */
function flatWithout() {
  return { receipt_id: randomUUID(), model: 'gpt-4o-mini', total_cost: 0.5 }
}
