import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/core/json/index.js'
import { ReceiptPageResponse, StoredResponse, VerifyResponse } from '../../src/features/receipts/schema.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { CLAIMS } from '../unit/proof-fixtures.js'
import { BATCH, LEGACY_SEED, SINGLE_FETCHED } from '../unit/proof-legacy-vectors.js'

const RULE = 'llmring-server-2025-11'
const MEMBERS = ['receipt_type', 'batch_summary', 'description', 'tags']
const batch = JSON.parse(BATCH)
const { receipt_id: id } = batch

let database: TestDatabase
let one: ReceiptsInstance

beforeAll(async () => {
  database = await cloneDatabase()
  const privateKey = Buffer.from(LEGACY_SEED).toString('base64url')
  one = await startReceipts(database.url, { privateKey, publicKey: undefined, keyId: 'old' })
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const list = async (project: ReturnType<typeof newProject>) =>
  ReceiptPageResponse.parse((await one.call('/api/v1/receipts/', { project })).json)

describe('a receipt of the last Python server', () => {
  it('is invalid, and the report says beside it how it was signed and what nothing vouches for', async () => {
    const { status, json } = await one.verify(batch)
    const report = VerifyResponse.parse(json)
    expect([status, report.valid, report.key_id]).toEqual([200, false, null])
    expect(report.legacy).toEqual({ valid: true, rule: RULE, key_id: 'old', unsigned_members: MEMBERS })
    expect((await one.verify({ ...batch, total_cost: 0.3 })).json).not.toHaveProperty('legacy')
  })

  it('is stored and marked, and is given back as it was sent', async () => {
    const project = newProject()
    const stored = await one.store(batch, project)
    expect([stored.status, StoredResponse.strict().parse(stored.json)]).toEqual([
      200,
      {
        ...{ receipt_id: id, status: 'verified' },
        legacy: { valid: true, rule: RULE, key_id: 'old', unsigned_members: MEMBERS },
      },
    ])
    const canonical = canonicalJson(batch)
    const shown = await one.call(`/api/v1/receipts/${id}`, { project })
    expect([shown.text, shown.headers.get('x-receipt-legacy')]).toEqual([canonical.ok && canonical.text, RULE])
    expect((await one.verify(shown.json)).json).toMatchObject({ valid: false, legacy: { valid: true } })
    expect((await one.store(batch, project)).status).toBe(200)
    expect((await one.receipts.export.receipt(project, null, 10)).rows.map((row) => JSON.parse(row))).toMatchObject([
      { id, key_id: 'old', legacy_rule: RULE },
    ])
  })

  it('is named in a list, and no other is', async () => {
    const project = newProject()
    await one.issue({ ...CLAIMS, id: 'ours' }, project)
    expect((await list(project)).legacy).toEqual([])
    await one.store(batch, project)
    await one.store(JSON.parse(SINGLE_FETCHED), project)
    const page = await list(project)
    expect(page).toMatchObject({ total: 3, limit: 100, offset: 0 })
    expect(page.legacy.map(({ receipt_id, rule }) => [receipt_id, rule]).sort()).toEqual([
      [JSON.parse(SINGLE_FETCHED).receipt_id, RULE],
      [id, RULE],
    ])
    const ours = await one.call('/api/v1/receipts/ours', { project })
    expect([ours.status, ours.headers.get('x-receipt-legacy')]).toEqual([200, null])
  })

  it('with other words behind its signature is another receipt: the first one stays', async () => {
    const project = newProject()
    await one.store(batch, project)
    const forged = await one.store({ ...batch, description: 'paid' }, project)
    expect([forged.status, forged.json]).toMatchObject([409, { code: 'conflict', current: batch }])
  })

  it('that is forged is refused as before', async () => {
    const forged = await one.store({ ...batch, prompt_tokens: 1 }, newProject())
    expect([forged.status, forged.json]).toMatchObject([400, { code: 'receipt-not-verified' }])
  })
})
