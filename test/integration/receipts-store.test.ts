import { createPrivateKey, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/core/json/index.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { keyOfByte, newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { CLAIMS, flatReceipt, nestedReceipt, signedBy } from '../unit/proof-fixtures.js'

/** L, the order of the group, little-endian: S + L is a second spelling of every signature. */
const GROUP_ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex')

let database: TestDatabase
let one: ReceiptsInstance

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startReceipts(database.url, keyOfByte(1, 'key-1'))
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const nested = signedBy(1, nestedReceipt)
const flat = signedBy(1, flatReceipt)
const problem = async (receipt: unknown) => {
  const { status, json } = await one.store(receipt, newProject())
  const { code, detail } = json as { code?: string; detail?: string }
  return [status, code, detail]
}

describe('a receipt from elsewhere', () => {
  it.each([
    ['nested', nested, nestedReceipt.id],
    ['flat', flat, flatReceipt.receipt_id],
  ])(
    'of the %s shape is verified, stored, and shown with every number as it was signed',
    async (_name, receipt, id) => {
      const project = newProject()
      const stored = await one.store(receipt, project)
      expect([stored.status, stored.json]).toEqual([200, { receipt_id: id, status: 'verified' }])
      const canonical = canonicalJson(receipt)
      const { text } = await one.call(`/api/v1/receipts/${id}`, { project })
      expect(text).toBe(canonical.ok ? canonical.text : '')
      expect((await one.call('/api/v1/receipts/', { project })).text).toContain(`[${text}]`)
      expect((await one.verify(JSON.parse(text))).json).toMatchObject({ valid: true })
    },
  )

  it('is shown in the order in which it was signed, which no parser of JavaScript keeps', async () => {
    const project = newProject()
    // Signed as "10" before "9"; an object that is parsed and rendered has them the other way round.
    const receipt = signedBy(1, { ...nestedReceipt, id: 'numbered', tokens: { input: 1, output: 2, 10: 3, 9: 4 } })
    expect((await one.store(receipt, project)).status).toBe(200)
    const { text } = await one.call('/api/v1/receipts/numbered', { project })
    expect(text).toContain('"10":3,"9":4')
    expect((await one.call('/api/v1/receipts/', { project })).text).toContain(`[${text}]`)
    const { rows } = await one.receipts.export.receipt(project, null, 10)
    expect(rows.map((row) => JSON.parse(row))).toMatchObject([{ canonical: text }])
    expect((await one.store(receipt, project)).status).toBe(200)
  })

  it.each(['../x', 'a/..', 'a/./b', 'a\\..\\b', '.', 'public-key.pem'])(
    'with the id %j, which no address can have, is refused',
    async (id) => {
      const project = newProject()
      for (const [receipt, pointer] of [
        [signedBy(1, { ...nestedReceipt, id }), '/receipt/id'],
        [signedBy(1, { ...flatReceipt, receipt_id: id }), '/receipt/receipt_id'],
      ] as const) {
        const { status, json } = await one.store(receipt, project)
        expect([status, json]).toEqual([
          422,
          expect.objectContaining({ errors: [{ pointer, message: expect.any(String) }] }),
        ])
      }
      expect((await one.call('/api/v1/receipts/', { project })).json).toMatchObject({ total: 0 })
    },
  )

  it.each(['a/b', '...', 'a..b', '%2e%2e/x', 'a\\b', 'x?y#z', 'ä …'])('with the id %j is fetched by it', async (id) => {
    const project = newProject()
    expect((await one.store(signedBy(1, { ...nestedReceipt, id }), project)).status).toBe(200)
    const { status, json } = await one.call(`/api/v1/receipts/${encodeURIComponent(id)}`, { project })
    expect([status, json]).toEqual([200, expect.objectContaining({ id })])
  })

  it('is stored once, however it is spelt', async () => {
    const project = newProject()
    await one.store(nested, project)
    const body = JSON.stringify({ receipt: Object.fromEntries(Object.entries(nested).reverse()) }, null, 2)
      .replace('"input": 1200', '"input": 1.2e3')
      .replace('"alias"', '"\\u0061lias"')
    const again = await one.call('/api/v1/receipts/', { body, project })
    expect([again.status, again.json]).toEqual([200, { receipt_id: nestedReceipt.id, status: 'verified' }])
    expect((await one.call('/api/v1/receipts/', { project })).json).toMatchObject({ total: 1 })
  })

  it('with the id of a different one is a conflict that shows what is stored', async () => {
    const project = newProject()
    await one.store(nested, project)
    const other = await one.store(signedBy(1, { ...nestedReceipt, alias: 'other' }), project)
    expect([other.status, other.json]).toMatchObject([409, { code: 'conflict', current: nested }])
  })

  it('and an issued one share the ids: neither replaces the other', async () => {
    const project = newProject()
    await one.store(nested, project)
    expect((await one.issue({ ...CLAIMS, id: nestedReceipt.id }, project)).status).toBe(409)
    await one.issue({ ...CLAIMS, id: 'issued' }, project)
    const late = signedBy(1, { ...nestedReceipt, id: 'issued' })
    expect((await one.store(late, project)).status).toBe(409)
  })

  it('20 times at the same moment is stored once', async () => {
    const project = newProject()
    const answers = await Promise.all(Array.from({ length: 20 }, () => one.store(nested, project)))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
    expect((await one.call('/api/v1/receipts/', { project })).json).toMatchObject({ total: 1 })
  })
})

describe('a receipt is not verified', () => {
  it.each([
    ['a changed member', { ...nested, alias: 'other' }],
    ['an added member', { ...nested, note: 'paid' }],
    ['a missing member', { ...nested, alias: undefined }],
    ['a changed number inside', { ...nested, tokens: { ...nestedReceipt.tokens, input: 1 } }],
    ['a signature of nothing in particular', { ...nested, signature: `ed25519:${'B'.repeat(85)}A` }],
    ['a signature by another key', { ...signedBy(2, nestedReceipt) }],
    ['the signature of another receipt', { ...nested, signature: flat.signature }],
  ])('with %s', async (_name, receipt) => {
    expect(await problem(receipt)).toEqual([400, 'receipt-not-verified', expect.stringContaining('"signature"')])
  })

  it.each([
    ['padded', `${nested.signature}==`],
    ['with other leftover bits', `${nested.signature.slice(0, -1)}${bitsChanged(nested.signature)}`],
    ['in plain base64', `ed25519:${Buffer.from(nested.signature.slice(8), 'base64url').toString('base64')}`],
    ['without its prefix', nested.signature.slice(8)],
    ['with an upper-case prefix', nested.signature.replace('ed25519', 'Ed25519')],
    ['with S + L for S', reencoded(nested.signature)],
    ['with a low-order R', `ed25519:${Buffer.alloc(64, 0).toString('base64url')}`],
    ['of nothing', ''],
  ])('with a signature %s', async (_name, signature) => {
    expect(await problem({ ...nested, signature })).toEqual([
      400,
      'receipt-not-verified',
      expect.stringContaining('"signature-encoding"'),
    ])
  })

  it('under a key that nobody listed', async () => {
    const foreign = signedBy(2, { ...nestedReceipt, key_id: 'key-2' })
    expect(await problem(foreign)).toEqual([400, 'receipt-not-verified', expect.stringContaining('"key"')])
  })

  it('under the name of a key that did not sign it', async () => {
    const claimed = signedBy(2, { ...nestedReceipt, key_id: 'key-1' })
    expect(await problem(claimed)).toEqual([400, 'receipt-not-verified', expect.stringContaining('"signature"')])
  })

  it('where the signature covers the canonical bytes of a rounded number', async () => {
    // 2^53 + 1 reads as 2^53: the signature would fit what nobody wrote.
    const rounded = signOver(nestedReceipt, '1200', '9007199254740992')
    const body = JSON.stringify({ receipt: rounded.receipt }).replace('1200', '9007199254740993')
    const { status, json } = await one.call('/api/v1/receipts/', { body, project: newProject() })
    expect([status, json]).toMatchObject([422, { detail: expect.stringContaining('2^53') }])
  })
})

describe('what is no receipt', () => {
  it.each([
    ['no id', signedBy(1, { model: 'm' })],
    ['two ids', signedBy(1, { ...nestedReceipt, receipt_id: 'second' })],
    ['no signature', nestedReceipt],
    ['a signature that is no text', { ...nested, signature: 5 }],
    ['an id of 256 characters', signedBy(1, { ...nestedReceipt, id: 'x'.repeat(256) })],
    ['an empty object', {}],
    ['a text', 'receipt'],
    ['an array', [nested]],
    ['nothing', null],
  ])('(%s) is refused', async (_name, receipt) => {
    expect(await problem(receipt)).toEqual([422, 'validation-failed', expect.any(String)])
  })

  const raw = async (body: string) => {
    const { status, json } = await one.call('/api/v1/receipts/', { body, project: newProject() })
    return [status, (json as { code: string }).code, (json as { detail: string }).detail]
  }
  const text = JSON.stringify({ receipt: nested })

  it.each([
    ['in the receipt', text.replace('"alias"', '"alias":"other","alias"')],
    ['in its tokens', text.replace('"input"', '"input":1,"input"')],
    ['under an escaped name', text.replace('"input"', '"\\u0069nput":1,"input"')],
    ['around the receipt', text.replace('{"receipt"', '{"receipt":{},"receipt"')],
    ['though both say the same', text.replace('"output":300', '"output":300,"output":300')],
  ])('(a member twice %s) is refused, though the signature fits one reading', async (_name, body) => {
    expect(await raw(body)).toEqual([422, 'validation-failed', expect.stringContaining('twice')])
  })

  it('(bad JSON, nesting, numbers beyond a double, halves of characters) is refused', async () => {
    const refusal = async (body: string) => (await raw(body)).slice(0, 2)
    expect(await refusal('{"receipt":')).toEqual([400, 'malformed-json'])
    expect(await refusal(`{"receipt":${'['.repeat(40)}${']'.repeat(40)}}`)).toEqual([400, 'malformed-json'])
    expect(await refusal(text.replace('"input":1200', '"input":1e400'))).toEqual([422, 'validation-failed'])
    expect(await refusal(text.replace('summarizer', '\\ud800'))).toEqual([422, 'validation-failed'])
    expect(await refusal(text.replace('summarizer', '\\u0000'))).toEqual([422, 'validation-failed'])
  })
})

describe('65,535 canonical bytes', () => {
  const sized = (bytes: number) => {
    const bare = signedBy(1, { ...nestedReceipt, note: '' })
    const canonical = canonicalJson(bare)
    const missing = bytes - (canonical.ok ? canonical.bytes.length : 0)
    return signedBy(1, { ...nestedReceipt, note: 'x'.repeat(missing) })
  }

  it('are the most that is kept, the signature counted', async () => {
    const project = newProject()
    expect((await one.store(sized(65_535), project)).status).toBe(200)
    const { text } = await one.call(`/api/v1/receipts/${nestedReceipt.id}`, { project })
    expect(Buffer.byteLength(text)).toBe(65_535)
    expect(await problem(sized(65_536))).toEqual([422, 'validation-failed', expect.any(String)])
  })

  it('are counted without the white space around them', async () => {
    const body = JSON.stringify({ receipt: nested }).replace('{', `{${' '.repeat(200_000)}`)
    expect((await one.call('/api/v1/receipts/', { body, project: newProject() })).status).toBe(200)
  })
})

/** The last character holds 4 bits that mean nothing: any other value of them spells the same bytes. */
function bitsChanged(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(signature.at(-1) ?? '') + 1)
}

function reencoded(signature: string): string {
  const bytes = Buffer.from(signature.slice(8), 'base64url')
  let carry = 0
  for (let at = 0; at < 32; at += 1) {
    const sum = (bytes[32 + at] ?? 0) + (GROUP_ORDER[at] ?? 0) + carry
    bytes[32 + at] = sum & 0xff
    carry = sum >> 8
  }
  return `ed25519:${bytes.toString('base64url')}`
}

/** Signs the canonical text with a number swapped in that our own canonical form refuses to write. */
function signOver(unsigned: typeof nestedReceipt, from: string, to: string) {
  const canonical = canonicalJson(unsigned)
  if (!canonical.ok) throw new Error(canonical.reason)
  const head = Buffer.from('302e020100300506032b657004220420', 'hex')
  const key = createPrivateKey({ key: Buffer.concat([head, Buffer.alloc(32, 1)]), format: 'der', type: 'pkcs8' })
  const signature = sign(null, Buffer.from(canonical.text.replace(from, to)), key)
  return { receipt: { ...unsigned, signature: `ed25519:${signature.toString('base64url')}` } }
}
