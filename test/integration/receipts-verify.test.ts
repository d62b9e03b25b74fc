import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VerifyResponse } from '../../src/features/receipts/schema.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { keyOfByte, NO_KEY, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { flatReceipt, nestedReceipt, signedBy } from '../unit/proof-fixtures.js'

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
const failed = async (body: string) => {
  const { status, json } = await one.call('/api/v1/receipts/verify', { body })
  const answer = VerifyResponse.parse(json)
  return [status, answer.valid, answer.checks.find((check) => !check.ok)?.name]
}

describe('verifying, which is for everybody', () => {
  it.each([
    ['nested', nested, nestedReceipt.id],
    ['flat', signedBy(1, flatReceipt), flatReceipt.receipt_id],
  ])('holds for a receipt of the %s shape', async (_name, receipt, id) => {
    const { status, json } = await one.verify(receipt)
    expect([status, VerifyResponse.parse(json)]).toMatchObject([
      200,
      { receipt_id: id, valid: true, algorithm: 'Ed25519', key_id: 'key-1' },
    ])
  })

  it('takes a receipt in the wrapper in which it is stored', async () => {
    expect((await one.verify({ receipt: nested })).json).toMatchObject({ receipt_id: nestedReceipt.id, valid: true })
    expect((await one.verify({ receipt: nested, more: 1 })).json).toMatchObject({ valid: false })
  })

  it.each([
    ['a forged signature', { ...nested, signature: `ed25519:${'B'.repeat(85)}A` }, 'signature'],
    ['a tampered member', { ...nested, model: 'gpt-5' }, 'signature'],
    ['another spelling of its signature', { ...nested, signature: `${nested.signature}=` }, 'signature-encoding'],
    ['an unknown key', signedBy(2, { ...nestedReceipt, key_id: 'key-2' }), 'key'],
    ['another signer', signedBy(2, nestedReceipt), 'signature'],
    ['no id', signedBy(1, { model: 'm' }), 'structure'],
    ['too many bytes', { ...nested, note: 'x'.repeat(70_000) }, 'canonical'],
  ])('says of a receipt with %s which check failed', async (_name, receipt, check) => {
    expect(await failed(JSON.stringify(receipt))).toEqual([200, false, check])
  })

  it('does not hold for a text that readers take for two receipts', async () => {
    const text = JSON.stringify(nested)
    expect(await failed(text.replace('"model"', '"model":"gpt-5","model"'))).toEqual([200, false, 'structure'])
    expect(await failed(text.replace('1200', '9007199254740993'))).toEqual([200, false, 'canonical'])
  })

  it('refuses what is no JSON object, and never breaks', async () => {
    const status = async (body: string) => (await one.call('/api/v1/receipts/verify', { method: 'POST', body })).status
    expect(await status('{"id":')).toBe(400)
    expect(await status(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)).toBe(400)
    for (const text of ['', 'null', '[]', '"x"', '5', 'true']) expect([text, await status(text)]).toEqual([text, 422])
    expect(await status(JSON.stringify({ id: 'x'.repeat(2_000_000) }))).toBe(413)
    for (const text of ['{}', '{"id":5}', '{"__proto__":null}', '{"id":"a","signature":{"toString":1}}']) {
      expect([text, await status(text)]).toEqual([text, 200])
    }
  })
})

it('without any key nothing is valid, nothing can be stored, and nothing is issued', async () => {
  const bare = await cloneDatabase()
  const none = await startReceipts(bare.url, NO_KEY)
  expect(none.receipts.keyState).toEqual({ canIssue: false, keyId: null })
  expect((await none.verify(nested)).json).toMatchObject({ valid: false, receipt_id: nestedReceipt.id })
  await none.close()
  await bare.drop()
})
