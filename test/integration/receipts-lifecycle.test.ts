import { verifyAsync } from '@noble/ed25519'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/client.js'
import type { ExportedPage } from '../../src/features/contract.js'
import { IssuedReceipt, ReceiptPageResponse, VerifyResponse } from '../../src/features/receipts/schema.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { ISSUER, keyOfByte, newProject, type ReceiptsInstance, startReceipts } from '../support/feature-app.js'
import { CLAIMS, signerOfByte } from '../unit/proof-fixtures.js'

let database: TestDatabase
let one: ReceiptsInstance

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startReceipts(database.url, keyOfByte(1))
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const list = (project: ReturnType<typeof newProject>, query = '') => one.call(`/api/v1/receipts/${query}`, { project })

describe('an issued receipt', () => {
  it('is the answer, at top level, with what the client said and what we say', async () => {
    const project = newProject()
    const { status, json } = await one.issue({ ...CLAIMS, id: 'call-1', provider: 'openai' }, project)
    expect(status).toBe(200)
    expect(IssuedReceipt.strict().parse(json)).toEqual({
      ...{ id: 'call-1', timestamp: '2026-03-01T11:59:58Z', issued_at: '2026-03-01T12:00:00.000Z' },
      ...{ issuer: ISSUER, project, registry_version: 'openai@3', provider: 'openai', model: 'gpt-4o-mini' },
      ...{ alias: 'summarizer', profile: 'default', lock_digest: 'sha256:9f86d081' },
      tokens: { input: 1_200, output: 300, cached_input: 0 },
      cost: { amount: '0.000360000000', calculation: CLAIMS.cost.calculation, currency: 'USD' },
      ...{ seq: 1, prev: null, log: { origin: expect.any(String), max_merge_delay_seconds: 60 } },
      ...{ evidence: 'client_reported', key_id: one.receipts.keyState.keyId },
      signature: expect.stringMatching(/^ed25519:[A-Za-z0-9_-]{86}$/),
    })
  })

  it('has an id of ours where the client chose none', async () => {
    const { json } = await one.issue(CLAIMS, newProject())
    expect(json).toMatchObject({ id: expect.stringMatching(/^rcpt_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/) })
  })

  it('is shown, listed and verified as the very bytes that were answered', async () => {
    const project = newProject()
    const issued = await one.issue({ ...CLAIMS, id: 'bytes' }, project)
    expect((await one.call('/api/v1/receipts/bytes', { project })).text).toBe(issued.text)
    expect((await list(project)).text).toBe(
      `{"receipts":[${issued.text}],"total":1,"limit":100,"offset":0,"legacy":[]}`,
    )
    const verified = await one.verify(issued.json)
    expect(VerifyResponse.parse(verified.json)).toMatchObject({
      receipt_id: 'bytes',
      valid: true,
      algorithm: 'Ed25519',
    })
    expect((verified.json as { checks: { ok: boolean }[] }).checks.every((check) => check.ok)).toBe(true)
  })

  it('verifies with an implementation that shares no code with ours', async () => {
    const project = newProject()
    await one.issue({ ...CLAIMS, id: 'noble', alias: 'ünï ✓ 😀 "\\' }, project)
    const { text } = await one.call('/api/v1/receipts/noble', { project })
    // The bytes are canonical: what was signed is the text without one member.
    const [member = '', signature = ''] = /"signature":"ed25519:([^"]+)",/.exec(text) ?? []
    const message = new TextEncoder().encode(text.replace(member, ''))
    const { bytes } = signerOfByte(1).key
    expect(await verifyAsync(Buffer.from(signature, 'base64url'), message, bytes)).toBe(true)
    expect(await verifyAsync(Buffer.from(signature, 'base64url'), new TextEncoder().encode(text), bytes)).toBe(false)
  })

  it('can be stored again as what it is', async () => {
    const project = newProject()
    const { json } = await one.issue({ ...CLAIMS, id: 'again' }, project)
    const stored = await one.store(json, project)
    expect([stored.status, stored.json]).toEqual([200, { receipt_id: 'again', status: 'verified' }])
    expect((await list(project)).json).toMatchObject({ total: 1 })
  })
})

describe('another project', () => {
  it('sees nothing, and is answered as if there were nothing', async () => {
    const [mine, theirs] = [newProject(), newProject()]
    await one.issue({ ...CLAIMS, id: 'private' }, mine)
    const foreign = await one.call('/api/v1/receipts/private', { project: theirs })
    const missing = await one.call('/api/v1/receipts/missing', { project: theirs })
    expect([foreign.status, foreign.text]).toEqual([404, missing.text])
    expect((await list(theirs)).json).toMatchObject({ receipts: [], total: 0 })
  })

  it('has ids of its own', async () => {
    const [mine, theirs] = [newProject(), newProject()]
    await one.issue({ ...CLAIMS, id: 'same', alias: 'mine' }, mine)
    const { status, json } = await one.issue({ ...CLAIMS, id: 'same', alias: 'theirs' }, theirs)
    expect([status, json]).toMatchObject([200, { alias: 'theirs', project: theirs }])
  })

  it('cannot pass our receipt for its own', async () => {
    const { json } = await one.issue({ ...CLAIMS, id: 'replayed' }, newProject())
    const replayed = await one.store(json, newProject())
    expect([replayed.status, replayed.json]).toMatchObject([
      400,
      { code: 'receipt-not-verified', detail: expect.stringContaining('"project"') },
    ])
  })
})

describe('the list', () => {
  it('is newest first, in pages that do not overlap', async () => {
    const project = newProject()
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await one.issue({ ...CLAIMS, id }, project)
      one.advance(1)
    }
    const ids = async (query: string) => {
      const { json } = await list(project, query)
      const page = ReceiptPageResponse.parse(json)
      return [page.receipts.map((receipt) => receipt['id']).join(''), page.total, page.limit, page.offset]
    }
    expect(await ids('')).toEqual(['edcba', 5, 100, 0])
    expect(await ids('?limit=2')).toEqual(['ed', 5, 2, 0])
    expect(await ids('?limit=2&offset=4')).toEqual(['a', 5, 2, 4])
    expect(await ids('?limit=2&offset=5')).toEqual(['', 5, 2, 5])
    expect(await ids('?limit=1000000000&offset=')).toEqual(['edcba', 5, 1_000, 0])
  })

  it('is the same text if it is too large to be read at once', async () => {
    const [project, rows] = [newProject(), [...'abcdefghijkl']]
    const texts = new Map(rows.map((id) => [id, `{"id":"${id}","z":9,"9":"${id.repeat(60_000)}"}`]))
    const db = await openDatabase({
      url: database.url,
      schema: 'llmring',
      connectionsMax: 1,
      prepare: true,
      pooled: false,
    })
    for (const [at, id] of rows.entries()) {
      // Three at a time are of one microsecond, and all of one millisecond.
      const storedAt = `2026-03-01T12:00:00.00010${Math.floor(at / 3)}Z`
      const rule = at % 5 === 0 ? 'old' : null
      await db.sql`
        insert into receipts (project_id, id, kind, key_id, canonical, entry, stored_at, legacy_rule)
        select ${project}, ${id}, 'stored', 'k', bytes, sha256(bytes), ${storedAt}::text::timestamptz, ${rule}
        from convert_to(${texts.get(id) ?? ''}::text, 'UTF8') as bytes`
    }
    await db.close()
    const whole = (ids: string, legacy: string, page: string) =>
      `{"receipts":[${[...ids].map((id) => texts.get(id)).join(',')}],"total":12,${page},"legacy":[${[...legacy].map((id) => `{"receipt_id":"${id}","rule":"old"}`).join(',')}]}`
    expect((await list(project)).text).toBe(whole('lkjihgfedcba', 'kfa', '"limit":100,"offset":0'))
    expect((await list(project, '?limit=8&offset=1')).text).toBe(whole('kjihgfed', 'kf', '"limit":8,"offset":1'))
    expect((await list(project, '?limit=4')).text).toBe(whole('lkji', 'k', '"limit":4,"offset":0'))
    expect((await list(project, '?limit=9&offset=8')).text).toBe(whole('dcba', 'a', '"limit":9,"offset":8'))
    const exported: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page: ExportedPage = await one.receipts.export.receipt(project, after, 100)
      expect(page.rows.length).toBeLessThanOrEqual(4)
      exported.push(...page.rows.map((row) => JSON.parse(row).canonical))
      after = page.next
    }
    expect(exported).toEqual([...texts.values()])
  })

  it.each(['?limit=0', '?limit=-5', '?limit=1e9', '?limit=abc', '?offset=-1', '?offset=99999999999'])(
    'refuses %s',
    async (query) => {
      expect((await list(newProject(), query)).status).toBe(422)
    },
  )
})

describe('keys of a role', () => {
  it('read where they may read receipts, and issue where they may write', async () => {
    const project = newProject()
    const status = async (role: 'audit' | 'read' | 'log' | 'write', json?: unknown) => {
      const path = json === undefined ? '/api/v1/receipts/' : '/api/v1/receipts/issue'
      return (await one.call(path, { project, role, json })).status
    }
    expect(await Promise.all([status('audit'), status('read'), status('log')])).toEqual([200, 200, 403])
    expect(await Promise.all([status('audit', CLAIMS), status('log', CLAIMS), status('write', CLAIMS)])).toEqual([
      403, 403, 200,
    ])
  })

  it('are needed for everything but the public keys and verifying', async () => {
    for (const path of ['/api/v1/receipts/', '/api/v1/receipts/x']) expect((await one.call(path)).status).toBe(401)
    for (const path of ['/api/v1/receipts/', '/api/v1/receipts/issue']) {
      expect((await one.call(path, { json: {} })).status).toBe(401)
    }
  })
})

describe('what a project leaves behind', () => {
  it('is exported as the texts that were signed, in pages', async () => {
    const project = newProject()
    const texts: string[] = []
    for (const id of ['c', 'a', 'b']) texts.push((await one.issue({ ...CLAIMS, id }, project)).text)
    await one.issue(CLAIMS, newProject())
    const rows: unknown[] = []
    let after: string | null = null
    do {
      const page = await one.receipts.export.receipt(project, after, 2)
      rows.push(...page.rows.map((row) => JSON.parse(row)))
      after = page.next
    } while (after !== null)
    expect(rows).toMatchObject([
      { id: 'a', kind: 'issued', canonical: texts[1] },
      { id: 'b', canonical: texts[2] },
      { id: 'c', canonical: texts[0] },
    ])
  })

  it('is erased in chunks, and nobody else’s with it', async () => {
    const [leaving, staying] = [newProject(), newProject()]
    for (let count = 0; count < 5; count += 1) await one.issue(CLAIMS, leaving)
    await one.issue(CLAIMS, staying)
    expect(await one.receipts.erase(leaving, 3)).toBe(3)
    expect(await one.receipts.erase(leaving, 3)).toBe(2)
    // The row of its chain.
    expect(await one.receipts.erase(leaving, 3)).toBe(1)
    expect(await one.receipts.erase(leaving, 3)).toBe(0)
    expect((await list(staying)).json).toMatchObject({ total: 1 })
  })
})
