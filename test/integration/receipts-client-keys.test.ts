import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/core/json/index.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'
import { flatReceipt, nestedReceipt, signedBy, signerOfByte } from '../unit/proof-fixtures.js'

const BASE = '/api/v1/receipts'
const ADMIN = '/api/v1/admin/projects'
/** What the service signs with (see startService). */
const OUR_BYTE = 7
const PARTNER = 40

let database: TestDatabase
let service: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  service = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await service.close()
  await database.drop()
})

const publicOf = (byte: number) => Buffer.from(signerOfByte(byte).key.bytes).toString('base64url')
const operator = (path: string, init: object = {}) => service.call(`${ADMIN}${path}`, { key: OPERATOR_KEY, ...init })

/** A project with an admin's key. */
async function newProject() {
  const { id } = (await operator('', { json: { name: 'p' } })).json as { id: string }
  const keyOf = async (role: string) => (await operator(`/${id}/keys`, { json: { role } })).json.key as string
  const key = await keyOf('admin')
  return {
    ...{ id, key, keyOf },
    register: (json: object) => service.call(`${BASE}/keys`, { key, json }),
    store: (receipt: unknown) => service.call(`${BASE}/`, { key, json: { receipt } }),
    verify: async (receipt: unknown, asking: string | null = key) =>
      (await service.call(`${BASE}/verify`, { key: asking, json: receipt })).json,
  }
}
/** A receipt of a partner, whose key has this id. */
const foreign = (changes: JsonObject = {}, byte = PARTNER) =>
  signedBy(byte, { ...nestedReceipt, issuer: 'partner.example/log', key_id: 'partner-1', ...changes })
const partnerKey = { public_key: publicOf(PARTNER), key_id: 'partner-1', label: 'A partner' }

describe('a key that a project registered', () => {
  it('is listed, lets receipts under it be stored and verified, and only by its project', async () => {
    const [ours, theirs] = [await newProject(), await newProject()]
    expect((await ours.store(foreign())).json).toMatchObject({ code: 'receipt-not-verified' })
    const registered = await ours.register(partnerKey)
    expect([registered.status, registered.json]).toEqual([
      201,
      {
        ...{ ...partnerKey, algorithm: 'Ed25519', not_before: null, not_after: null },
        created_at: expect.stringMatching(/Z$/),
      },
    ])
    expect((await service.call(`${BASE}/keys`, { key: ours.key })).json).toEqual({ keys: [registered.json] })
    expect((await service.call(`${BASE}/keys`, { key: theirs.key })).json).toEqual({ keys: [] })
    expect((await ours.store(foreign())).json).toMatchObject({ receipt_id: nestedReceipt.id, status: 'verified' })
    expect(await ours.verify(foreign())).toMatchObject({ valid: true, key_id: 'partner-1' })
    expect((await theirs.store(foreign())).status).toBe(400)
    for (const asking of [theirs.key, 'never-seen', 'two words', null]) {
      expect(await ours.verify(foreign(), asking)).toMatchObject({ valid: false, key_id: null })
    }
    expect(await ours.verify(foreign(), await ours.keyOf('audit'))).toMatchObject({ valid: true })
    expect(await ours.verify(foreign(), await ours.keyOf('log'))).toMatchObject({ valid: false })
    const { keys } = (await service.call('/receipts/public-keys.json')).json
    expect(keys.map(({ key_id }: { key_id: string }) => key_id)).not.toContain('partner-1')
  })

  it('verifies receipts that name no key, and ours stay ours', async () => {
    const { register, verify, store } = await newProject()
    const thumbprint = (await register({ public_key: publicOf(PARTNER) })).json.key_id
    expect(thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await verify(signedBy(PARTNER, flatReceipt))).toMatchObject({ valid: true, key_id: thumbprint })
    expect((await store(signedBy(PARTNER, flatReceipt))).status).toBe(200)
    expect(await verify(signedBy(OUR_BYTE, flatReceipt))).toMatchObject({ valid: true })
  })

  it('is no way to issue in our name, nor under the id of one of our keys', async () => {
    const { register, store, verify, id } = await newProject()
    await register(partnerKey)
    const issuer = service.service.features.find(({ name }) => name === 'log') as unknown as { log: { origin: string } }
    const forged = foreign({ issuer: issuer.log.origin, project: id })
    expect((await store(forged)).json).toMatchObject({ code: 'receipt-not-verified' })
    expect(await verify(forged)).toMatchObject({ valid: false, key_id: null })
    const current = (await service.call('/receipts/public-keys.json')).json.current_key_id as string
    const taken = await register({ public_key: publicOf(PARTNER), key_id: current })
    expect([taken.status, taken.json.code]).toEqual([409, 'conflict'])
    // Registered before the service came to have a key of that id: ours goes first.
    await service.sql`
      insert into receipt_client_keys (project_id, key_id, public_key, created_at)
      values (${id}, ${current}, ${Buffer.from(signerOfByte(PARTNER).key.bytes)}, now())`
    expect(await verify(foreign({ key_id: current }))).toMatchObject({ valid: false })
  })

  it('holds between its times, by the time that the receipt gives itself', async () => {
    const { register, verify } = await newProject()
    await register({ ...partnerKey, not_before: '2026-01-01T00:00:00Z', not_after: '2026-01-31T23:59:59+01:00' })
    const at = (timestamp: string, more: JsonObject = {}) => verify(foreign({ timestamp, ...more }))
    expect(await at('2026-01-01T00:00:00Z')).toMatchObject({ valid: true })
    expect(await at('2026-01-31T22:59:59')).toMatchObject({ valid: true })
    expect(await at('2025-12-31T23:59:59.999Z')).toMatchObject({ valid: false })
    expect(await at('2026-01-31T23:00:00Z')).toMatchObject({ valid: false })
    expect(await at('yesterday')).toMatchObject({ valid: false })
    expect(await at('2026-01-15T00:00:00Z', { issued_at: '2026-03-01T00:00:00.000Z' })).toMatchObject({ valid: false })
  })

  it('is changed by registering it again, and gone once it is removed; what was stored stays', async () => {
    const { register, store, verify, key } = await newProject()
    await register(partnerKey)
    await store(foreign())
    expect((await register({ ...partnerKey, label: 'Renamed' })).json).toMatchObject({ label: 'Renamed' })
    expect((await register({ ...partnerKey, public_key: publicOf(41) })).json).toMatchObject({ code: 'conflict' })
    const remove = () => service.call(`${BASE}/keys/partner-1`, { method: 'DELETE', key })
    expect([(await remove()).json, (await remove()).json]).toEqual([{ deleted: true }, { deleted: false }])
    expect(await verify(foreign())).toMatchObject({ valid: false })
    expect((await service.call(`${BASE}/${nestedReceipt.id}`, { key })).json).toEqual(foreign())
  })

  it.each([
    ['31 bytes', { public_key: Buffer.alloc(31, 1).toString('base64url') }, '/public_key'],
    ['low order', { public_key: Buffer.alloc(32).toString('base64url') }, '/public_key'],
    ['no base64url', { public_key: `${publicOf(PARTNER).slice(0, 42)}=` }, '/public_key'],
    ['no text', { public_key: 7 }, '/public_key'],
    ['an id with a control', { key_id: 'a\u0007' }, '/key_id'],
    ['a label that is too long', { label: 'x'.repeat(256) }, '/label'],
    ['a time that is none', { not_before: '2026-02-30T00:00:00Z' }, '/not_before'],
    [
      'an end before its begin',
      { not_before: '2026-02-01T00:00:00Z', not_after: '2026-01-01T00:00:00Z' },
      '/not_after',
    ],
  ])('is refused with %s', async (_name, change, pointer) => {
    const { register } = await newProject()
    const { status, json } = await register({ ...partnerKey, ...change })
    expect([status, json.errors?.[0]?.pointer]).toEqual([422, pointer])
  })

  it('is one of at most 16, also if they are registered at once', async () => {
    const { register, key } = await newProject()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => register({ ...partnerKey, key_id: `partner-${at}` })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(16)
    expect(answers.find(({ status }) => status !== 201)?.json).toMatchObject({ code: 'project-full' })
    expect((await service.call(`${BASE}/keys`, { key })).json.keys).toHaveLength(16)
  })

  it('is exported with its project, and erased with it', async () => {
    const { register, id } = await newProject()
    await register(partnerKey)
    expect((await operator(`/${id}/export`)).text).toContain('{"type":"receipt_key","key_id":"partner-1"')
    await operator(`/${id}`, { method: 'DELETE' })
    expect([...(await service.sql`select 1 from receipt_client_keys where project_id = ${id}`)]).toEqual([])
  })
})
