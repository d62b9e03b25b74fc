import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { hashMember, verifyMembership } from '../../src/core/proof/index.js'
import { decodeBase64 } from '../../src/core/tlog/index.js'
import { openDatabase, type Sql } from '../../src/db/client.js'
import { createTransact } from '../../src/db/transact.js'
import { createBatchStore } from '../../src/features/receipts/batch/batch-store.js'
import { createBatchWriter } from '../../src/features/receipts/batch/batch-write-store.js'
import { sha256 } from '../../src/platform/sha256.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { OPERATOR_KEY, type RunningService, startService } from '../support/service.js'

type Logged = { readonly log_id: string; readonly cost_decimal: string; readonly timestamp: string }
type Batch = {
  readonly receipt: Record<string, unknown> & {
    readonly id: string
    readonly seq: number
    readonly usage: { readonly members_root: string; readonly count: number; readonly log_ids?: readonly string[] }
  }
  readonly certified_count: number
  readonly more: boolean
}
const BASE = '/api/v1/receipts'
const EVENT = { provider: 'openai', model: 'gpt-4o-mini', alias: 'summarizer', input_tokens: 1_200, output_tokens: 300 }

let database: TestDatabase
let one: RunningService
let two: RunningService
beforeAll(async () => {
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url })
  two = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await one.close()
  await two.close()
  await database.drop()
})

/** A project of its own, by the key that made it. */
function newcomer() {
  const key = `key-of-${randomUUID()}`
  const log = async (changes: object = {}): Promise<Logged> => {
    const { status, json, text } = await one.call('/api/v1/log', { key, json: { ...EVENT, ...changes } })
    if (status !== 200) throw new Error(text)
    return json
  }
  return {
    key,
    log,
    logMany: (count: number, changes: object = {}) =>
      Promise.all(Array.from({ length: count }, () => log({ cost: '0.001', ...changes }))),
    generate: (json: object, service = one) => service.call(`${BASE}/generate`, { key, json }),
    batch: async (json: object): Promise<Batch> => {
      const answer = await one.call(`${BASE}/generate`, { key, json })
      if (answer.status !== 200) throw new Error(answer.text)
      return answer.json
    },
    preview: async (json: object) => (await one.call(`${BASE}/preview`, { key, json })).json,
    get: (path: string, service = one) => service.call(`${BASE}${path}`, { key }),
  }
}

const SINCE_LAST = { since_last_receipt: true }
const idsOf = (logs: readonly { readonly id: string }[]) => logs.map(({ id }) => id).sort()

describe('a receipt over logged calls', () => {
  it('signs their sums, has its place in the chain, and verifies', async () => {
    const { log, batch, key } = newcomer()
    const first = await log({ cost: '0.1' })
    const last = await log({ cost: '0.2', model: 'gpt-4o', alias: null, input_tokens: 10, cached_input_tokens: 4 })
    const { receipt, certified_count, more } = await batch({ ...SINCE_LAST, description: 'January', tags: ['billing'] })
    expect([certified_count, more]).toEqual([2, false])
    expect(receipt).toMatchObject({
      ...{
        seq: 1,
        prev: null,
        model: 'batch:2 calls',
        receipt_type: 'batch',
        description: 'January',
        tags: ['billing'],
      },
      tokens: { input: 1_210, output: 600, cached_input: 4 },
      cost: { amount: '0.300000000000', currency: 'USD' },
      batch_summary: {
        ...{ total_calls: 2, total_tokens: 1_810, total_cost: '0.300000000000', unpriced_calls: 0 },
        ...{ start_date: first.timestamp, end_date: last.timestamp },
        by_model: {
          'gpt-4o': { calls: 1, cost: '0.200000000000', tokens: 310 },
          'gpt-4o-mini': { calls: 1, cost: '0.100000000000', tokens: 1_500 },
        },
        by_alias: {
          '(none)': { calls: 1, cost: '0.200000000000', tokens: 310 },
          summarizer: { calls: 1, cost: '0.100000000000', tokens: 1_500 },
        },
      },
      usage: { count: 2, log_ids: [first.log_id, last.log_id] },
    })
    expect((await one.call(`${BASE}/verify`, { json: receipt })).json).toMatchObject({ valid: true })
    expect((await one.call(`${BASE}/${receipt.id}`, { key })).json).toEqual(receipt)
    const claims = {
      ...{ model: 'openai:gpt-4o', registry_version: 'openai@7', alias: 'a', lock_digest: '' },
      ...{ tokens: { input: 1, output: 1 }, cost: { amount: '0' } },
    }
    const next = (await one.call(`${BASE}/issue`, { key, json: claims })).json
    expect(next).toMatchObject({ seq: 2, prev: expect.stringMatching(/^sha256:/) })
    const later = await log()
    expect((await batch({ log_ids: [later.log_id] })).receipt).toMatchObject({
      ...{ seq: 3, receipt_type: 'single', model: 'gpt-4o-mini', alias: 'summarizer', provider: 'openai' },
    })
  })

  it('commits to every call: each is proven offline, by the receipt alone', async () => {
    const { logMany, batch, get } = newcomer()
    const logs = await logMany(11)
    const { receipt } = await batch(SINCE_LAST)
    for (const { log_id } of logs) {
      const proof = (await get(`/${receipt.id}/logs/${log_id}/proof`, two)).json
      expect(verifyMembership(sha256, receipt, proof)).toMatchObject({ ok: true, member: { log_id } })
      const cheaper = { ...proof, member: { ...proof.member, cost: '0.000900000000' } }
      expect(verifyMembership(sha256, receipt, cheaper)).toEqual({ ok: false, reason: 'not-a-member' })
    }
  })

  it('outlives the calls: their hashes stay, and a call that was altered is no member any more', async () => {
    const { logMany, batch, get } = newcomer()
    const [kept, altered, gone] = (await logMany(3)) as [Logged, Logged, Logged]
    const { receipt } = await batch(SINCE_LAST)
    const proofOf = async ({ log_id }: Logged) => (await get(`/${receipt.id}/logs/${log_id}/proof`)).json
    const before = await proofOf(gone)
    await one.sql`delete from usage_logs where id = ${gone.log_id}`
    await one.sql`update usage_logs set cost = 0 where id = ${altered.log_id}`
    const after = await proofOf(gone)
    expect(after).toEqual({ ...before, member: null })
    expect(decodeBase64(after.leaf_hash, 32)).toEqual(new Uint8Array(hashMember(sha256, before.member) ?? []))
    expect(verifyMembership(sha256, receipt, await proofOf(kept))).toMatchObject({ ok: true })
    expect(verifyMembership(sha256, receipt, await proofOf(altered))).toMatchObject({ ok: false })
    const { logs, total } = (await get(`/${receipt.id}/logs`)).json
    expect(total).toBe(3)
    expect(logs.find(({ id }: { id: string }) => id === gone.log_id)).toMatchObject({ model: null, cost: null })
  })

  it('is made by ids, by a period, and of what none certifies yet; a call may be named again', async () => {
    const { logMany, batch, get } = newcomer()
    const logs = await logMany(3)
    const [first] = logs as [Logged]
    const named = await batch({ log_ids: [first.log_id, first.log_id.toUpperCase()] })
    expect(named.certified_count).toBe(1)
    expect((await get('/uncertified')).json).toMatchObject({ total: 2 })
    expect((await batch(SINCE_LAST)).certified_count).toBe(2)
    const day = first.timestamp.slice(0, 10)
    expect((await batch({ start_date: day, end_date: day })).certified_count).toBe(3)
    expect((await batch({ start_date: first.timestamp, end_date: '2999-01-01T00:00:00' })).certified_count).toBe(3)
    expect((await get('/uncertified')).json).toMatchObject({ total: 0, logs: [] })
  })

  it('is previewed without being made', async () => {
    const { logMany, preview, get } = newcomer()
    await logMany(2)
    await logMany(1, { model: 'no-such-model', cost: null })
    expect(await preview(SINCE_LAST)).toMatchObject({
      ...{ total_logs: 3, total_cost: 0.002, total_cost_decimal: '0.002000000000', total_tokens: 4_500 },
      ...{ receipt_type: 'batch', by_model: { 'gpt-4o-mini': { calls: 2, cost: 0.002, tokens: 3_000 } } },
    })
    expect(await preview({ start_date: '2001-01-01', end_date: '2001-01-02' })).toMatchObject({ total_logs: 0 })
    expect((await get('/uncertified')).json.total).toBe(3)
    expect((await get('/')).json.total).toBe(0)
  })

  it('leaves out calls whose price is still to come, and takes them once they have one', async () => {
    const { logMany, batch, generate, get } = newcomer()
    const [waiting, priced] = (await logMany(2)) as [Logged, Logged]
    await one.sql`update usage_logs set cost = 0, cost_status = 'no_registry' where id = ${waiting.log_id}`
    expect((await batch(SINCE_LAST)).receipt.usage.log_ids).toEqual([priced.log_id])
    expect((await generate({ log_ids: [waiting.log_id] })).status).toBe(422)
    expect(idsOf((await get('/uncertified')).json.logs)).toEqual([waiting.log_id])
    await one.sql`update usage_logs set cost = 0.5, cost_status = 'priced' where id = ${waiting.log_id}`
    expect((await batch(SINCE_LAST)).receipt.usage.log_ids).toEqual([waiting.log_id])
  })

  it('takes calls that are logged later, at times that were certified before', async () => {
    const { log, batch, get } = newcomer()
    await log()
    expect((await batch(SINCE_LAST)).certified_count).toBe(1)
    const late = await log({ timestamp: new Date(Date.now() - 40 * 86_400_000).toISOString() })
    expect((await get('/uncertified')).json).toMatchObject({ total: 1, logs: [{ id: late.log_id }] })
    expect((await batch(SINCE_LAST)).receipt.usage.log_ids).toEqual([late.log_id])
    expect((await batch({ log_ids: [late.log_id] })).receipt.batch_summary).toMatchObject({
      start_date: late.timestamp,
    })
  })

  it('of pages of calls is one tree, and lists its calls in pages', async () => {
    const { log, key, batch, get } = newcomer()
    const { log_id } = await log()
    const { project_id } = (await one.sql`select project_id from usage_logs where id = ${log_id}`)[0] as {
      project_id: string
    }
    await one.sql`
      insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status, input_tokens, output_tokens)
      select ${project_id}, date_trunc('milliseconds', now()) - make_interval(secs => n / 7), gen_random_uuid(), 'openai', concat('model-', n % 300),
        0.000000000001, 'priced', 1000000000000, 1 from generate_series(1, 2499) as n`
    const { receipt, certified_count } = await batch(SINCE_LAST)
    expect(certified_count).toBe(2_500)
    expect(receipt.usage).toEqual({ count: 2_500, members_root: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
    const { by_model } = receipt.batch_summary as { by_model: Record<string, { calls: number }> }
    expect(Object.keys(by_model)).toHaveLength(101)
    expect(Object.values(by_model).reduce((sum, { calls }) => sum + calls, 0)).toBe(2_500)
    const page = (await one.call(`${BASE}/${receipt.id}/logs?limit=3&offset=2498`, { key })).json
    expect(page).toMatchObject({ receipt_id: receipt.id, total: 2_500, limit: 3, offset: 2_498 })
    expect(page.logs).toHaveLength(2)
    for (const { id } of page.logs) {
      const proof = (await get(`/${receipt.id}/logs/${id}/proof`)).json
      expect(verifyMembership(sha256, receipt, proof)).toMatchObject({ ok: true })
    }
    const elsewhere = await get(`/${receipt.id}/logs/${randomUUID()}/proof`)
    expect([elsewhere.status, elsewhere.json.code]).toEqual([404, 'not-found'])
  })
})

describe('a receipt over what none certifies yet', () => {
  const HOUR_MS = 3_600_000
  /** As if a call had come so long ago: its id says when. */
  const age = async ({ log_id }: Logged, byMs: number): Promise<string> => {
    const bornAt = Date.now() - byMs
    const digits = bornAt.toString(16).padStart(12, '0')
    const id = `${digits.slice(0, 8)}-${digits.slice(8)}${log_id.slice(13)}`
    await one.sql`update usage_logs set id = ${id}, logged_at = ${new Date(bornAt)} where id = ${log_id}`
    return id
  }
  const coverageOf = async (id: string) => {
    const [row] = await one.sql<{ generation: string; settledUntil: Date; arrivedUntil: Date }[]>`
      select generation, settled_until as "settledUntil", arrived_until as "arrivedUntil" from receipt_coverage
      where project_id = (select project_id from usage_logs where id = ${id})`
    return row
  }

  it('does not look again at calls that came before all were certified, and finds a late one of any time', async () => {
    const { log, batch, get } = newcomer()
    const ids = [await age(await log(), 2 * HOUR_MS), await age(await log(), 3 * HOUR_MS)]
    expect((await batch(SINCE_LAST)).certified_count).toBe(2)
    const { arrivedUntil } = (await coverageOf(ids[0] ?? '')) ?? {}
    expect(arrivedUntil?.getTime()).toBeGreaterThan(Date.now() - 2 * HOUR_MS)
    expect(arrivedUntil?.getTime()).toBeLessThanOrEqual(Date.now() - HOUR_MS)
    // Were they looked at, they would be found.
    await one.sql`delete from receipt_members where log_id in ${one.sql(ids)}`
    expect((await get('/uncertified')).json.total).toBe(0)
    const late = await log({ timestamp: '2025-01-01T00:00:00Z' })
    const recent = await log()
    const { receipt } = await batch(SINCE_LAST)
    expect(receipt.usage.log_ids).toEqual([late.log_id, recent.log_id])
  })

  it('comes back to a call whose price was still to come, however long ago it came', async () => {
    const { log, batch, get } = newcomer()
    const waiting = await age(await log(), 5 * HOUR_MS)
    await one.sql`update usage_logs set cost_status = 'no_registry' where id = ${waiting}`
    const priced = await age(await log(), 2 * HOUR_MS)
    expect((await batch(SINCE_LAST)).receipt.usage.log_ids).toEqual([priced])
    expect((await coverageOf(priced))?.arrivedUntil.getTime()).toBeLessThan(Date.now() - 5 * HOUR_MS)
    await one.sql`update usage_logs set cost_status = 'priced' where id = ${waiting}`
    expect((await batch(SINCE_LAST)).receipt.usage.log_ids).toEqual([waiting])
    expect((await get('/uncertified')).json.total).toBe(0)
  })

  it('writes down that it found none, unless another one was made or erased meanwhile', async () => {
    const { log, batch, generate } = newcomer()
    const id = await age(await log(), 2 * HOUR_MS)
    await batch({ log_ids: [id] })
    expect(await coverageOf(id)).toMatchObject({ generation: '1', arrivedUntil: null })
    expect((await generate(SINCE_LAST)).status).toBe(409)
    const first = await coverageOf(id)
    expect(first).toMatchObject({ generation: '1', arrivedUntil: expect.any(Date) })
    const { settle } = createBatchWriter({ sql: one.sql, transact: createTransact(one.sql) })
    const [row] = await one.sql<{ project: ProjectId }[]>`select project_id as project from usage_logs where id = ${id}`
    const later = { settledUntil: new Date(), arrivedUntil: new Date() }
    for (const generation of [0, 2]) await settle(row?.project ?? ('' as ProjectId), generation, later)
    expect(await coverageOf(id)).toEqual(first)
    await settle(row?.project ?? ('' as ProjectId), 1, later)
    expect(await coverageOf(id)).toEqual({ generation: '1', ...later })
    // Only forward.
    await settle(row?.project ?? ('' as ProjectId), 1, { settledUntil: new Date(0), arrivedUntil: new Date(0) })
    expect(await coverageOf(id)).toEqual({ generation: '1', ...later })
  })
})

describe('receipts over logged calls that are made at once on two instances', () => {
  it('certify each call once by "since the last receipt", with a chain without gaps', async () => {
    const { logMany, generate, get } = newcomer()
    const logged = new Set<string>()
    const certified: string[] = []
    const seqs: number[] = []
    for (let round = 0; round < 4; round += 1) {
      for (const { log_id } of await logMany(5)) logged.add(log_id)
      const answers = await Promise.all([one, two, one, two].map((service) => generate(SINCE_LAST, service)))
      for (const { status, json } of answers) {
        if (status === 200) {
          certified.push(...json.receipt.usage.log_ids)
          seqs.push(json.receipt.seq)
        } else expect(json.code).toMatch(/^(nothing-to-certify|conflict)$/)
      }
    }
    expect(certified.sort()).toEqual([...logged].sort())
    expect(seqs.sort((a, b) => a - b)).toEqual(seqs.map((_, at) => at + 1))
    expect((await get('/uncertified')).json.total).toBe(0)
    const [left] = await one.sql`select count(*)::integer as count from receipt_batches where sealed_at is null`
    expect(left).toEqual({ count: 0 })
  })
})

describe('receipts over logged calls among single ones', () => {
  it('share one chain without gaps, each linked to the one before and logged once', async () => {
    const { key, logMany, generate } = newcomer()
    const logs = await logMany(6)
    const claims = (at: number) => ({
      ...{ id: `single-${at}`, model: 'openai:gpt-4o', registry_version: 'openai@7', alias: 'a', lock_digest: '' },
      ...{ tokens: { input: 1, output: 1 }, cost: { amount: '0.1' } },
    })
    const answers = await Promise.all(
      logs.flatMap(({ log_id }, at) => {
        const [here, there] = at % 2 === 0 ? [one, two] : [two, one]
        return [generate({ log_ids: [log_id] }, here), there.call(`${BASE}/issue`, { key, json: claims(at) })]
      }),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const rows = await one.sql<{ canonical: Buffer; seq: number; entry: string; logged: number }[]>`
      select canonical, seq::integer as seq, encode(entry, 'hex') as entry,
        (select count(*)::integer from (select entry from log_pending union all select entry from log_entries) as log
          where log.entry = receipts.entry) as logged
      from receipts where project_id = (select project_id from usage_logs where id = ${logs[0]?.log_id ?? ''})
      order by seq`
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1))
    expect(rows.map(({ logged }) => logged)).toEqual(rows.map(() => 1))
    for (const [at, { canonical, seq, entry }] of rows.entries()) {
      const before = rows[at - 1]
      const prev = before === undefined ? null : `sha256:${before.entry}`
      expect(JSON.parse(canonical.toString('utf8'))).toMatchObject({ seq, prev })
      expect(Buffer.from(sha256(canonical)).toString('hex')).toBe(entry)
    }
  })
})

describe('a request that cannot be certified', () => {
  it.each([
    ['nothing', {}, ''],
    ['two ways at once', { since_last_receipt: true, log_ids: [randomUUID()] }, ''],
    ['half a period', { start_date: '2026-01-01' }, '/end_date'],
    ['a day that does not exist', { start_date: '2026-02-30', end_date: '2026-03-01' }, '/start_date'],
    ['a call that is not there', { log_ids: [randomUUID()] }, '/log_ids/0'],
    ['no calls', { log_ids: [] }, '/log_ids'],
    ['an id that is none', { log_ids: ['x'] }, '/log_ids/0'],
    ['too many ids', { log_ids: Array.from({ length: 10_001 }, () => 'x') }, '/log_ids'],
    ['a conversation', { conversation_id: randomUUID() }, '/conversation_id'],
    ['a description that is too long', { since_last_receipt: true, description: 'x'.repeat(1_025) }, '/description'],
    ['half a surrogate pair', { since_last_receipt: true, tags: ['\ud800'] }, '/tags/0'],
  ])('names %s: refused, and says where', async (_name, json, pointer) => {
    const { generate, log } = newcomer()
    await log()
    const answer = await generate(json)
    expect([answer.status, answer.json.errors?.[0]?.pointer ?? '']).toEqual([422, pointer])
  })

  it('names nothing that is left: 409, and nothing is kept', async () => {
    const { generate, logMany, get } = newcomer()
    await logMany(1)
    expect((await generate(SINCE_LAST)).status).toBe(200)
    const again = await generate(SINCE_LAST)
    expect([again.status, again.json.code]).toEqual([409, 'nothing-to-certify'])
    expect((await generate({ start_date: '2001-01-01', end_date: '2001-01-02' })).status).toBe(409)
    expect((await get('/')).json.total).toBe(1)
  })

  it("names another project's calls: as if they were not there", async () => {
    const [ours, theirs] = [newcomer(), newcomer()]
    const [{ log_id }] = (await theirs.logMany(1)) as [Logged]
    await ours.log()
    expect((await ours.generate({ log_ids: [log_id] })).status).toBe(422)
    const { receipt } = await theirs.batch(SINCE_LAST)
    expect((await ours.get(`/${receipt.id}/logs`)).status).toBe(404)
    expect((await ours.get(`/${receipt.id}/logs/${log_id}/proof`)).status).toBe(404)
    expect((await ours.get('/uncertified')).json.total).toBe(1)
  })
})

describe('a batch whose making was cut short', () => {
  it('certifies nothing, and is swept', async () => {
    const { log, batch, get } = newcomer()
    const { log_id, timestamp } = await log()
    await one.sql`
      with project as (select project_id from usage_logs where id = ${log_id}), begun as (
        insert into receipt_batches (project_id, receipt_id, begun_at, member_count)
        select project_id, 'cut-short', now() - interval '2 hours', 0 from project
      )
      insert into receipt_members (project_id, receipt_id, position, log_id, logged_at)
      select project_id, 'cut-short', 0, ${log_id}, ${timestamp} from project`
    expect((await get('/uncertified')).json.total).toBe(1)
    expect((await batch(SINCE_LAST)).certified_count).toBe(1)
    expect([...(await one.sql`select 1 from receipt_members where receipt_id = 'cut-short'`)]).toEqual([])
  })
})

describe('an erased batch receipt', () => {
  it('leaves its calls to be certified again, and nothing of them to whoever takes its id', async () => {
    const { json: project } = await one.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: { name: 'p' } })
    const keys = `/api/v1/admin/projects/${project.id}/keys`
    const { key } = (await one.call(keys, { key: OPERATOR_KEY, json: { role: 'admin' } })).json
    const ask = async (path: string, json?: object, method?: string) =>
      (
        await one.call(`${BASE}${path}`, {
          key,
          ...(json === undefined ? {} : { json }),
          ...(method === undefined ? {} : { method }),
        })
      ).json
    const log = async (): Promise<Logged> =>
      (await one.call('/api/v1/log', { key, json: { ...EVENT, cost: '0.1' } })).json
    const firsts = [await log(), await log()]
    const { receipt } = (await ask('/generate', SINCE_LAST)) as Batch
    const later = await log()
    const { receipt: kept } = (await ask('/generate', SINCE_LAST)) as Batch
    // As if all of this were long ago: whatever is before this moment is taken for certified.
    await one.sql`
      update receipt_coverage set settled_until = clock_timestamp(), arrived_until = clock_timestamp() where project_id = ${project.id}`
    expect((await ask('/uncertified')).total).toBe(0)
    expect(await ask(`/${receipt.id}`, undefined, 'DELETE')).toMatchObject({ deleted: true })
    const open = await ask('/uncertified')
    expect(idsOf(open.logs)).toEqual(firsts.map(({ log_id }) => log_id).sort())
    // The other one is as it was.
    expect(idsOf((await ask(`/${kept.id}/logs`)).logs)).toEqual([later.log_id])
    const tiles = await one.sql`select receipt_id from receipt_member_tiles where project_id = ${project.id}`
    expect([...tiles].map(({ receipt_id }) => receipt_id)).toEqual([kept.id])
    const claims = { model: 'openai:gpt-4o', registry_version: 'openai@7', alias: 'a', lock_digest: '' }
    await ask('/issue', { ...claims, id: receipt.id, tokens: { input: 1, output: 1 }, cost: { amount: '0.1' } })
    expect(await ask(`/${receipt.id}/logs`)).toMatchObject({ total: 0, logs: [] })
    expect((await ask('/generate', SINCE_LAST)).certified_count).toBe(2)
    expect((await ask('/uncertified')).total).toBe(0)
  })
})

describe('an erased project', () => {
  it('takes its batches along', async () => {
    const { json: project } = await one.call('/api/v1/admin/projects', { key: OPERATOR_KEY, json: { name: 'p' } })
    const keys = `/api/v1/admin/projects/${project.id}/keys`
    const { key } = (await one.call(keys, { key: OPERATOR_KEY, json: { role: 'write' } })).json
    await one.call('/api/v1/log', { key, json: EVENT })
    expect((await one.call(`${BASE}/generate`, { key, json: SINCE_LAST })).status).toBe(200)
    const exported = (await one.call(`/api/v1/admin/projects/${project.id}/export`, { key: OPERATOR_KEY })).text
    for (const type of ['receipt_batch', 'receipt_member', 'receipt_member_tile', 'receipt_coverage']) {
      expect(exported).toContain(`{"type":"${type}"`)
    }
    await one.call(`/api/v1/admin/projects/${project.id}`, { method: 'DELETE', key: OPERATOR_KEY })
    const left = await one.sql`
      select receipt_id from receipt_members where project_id = ${project.id}
      union all select receipt_id from receipt_batches where project_id = ${project.id}
      union all select receipt_id from receipt_member_tiles where project_id = ${project.id}`
    expect([...left]).toEqual([])
  })
})

describe('the look for calls that are certified', () => {
  it('compares no call with all that are asked for, also while the planner knows of none', async () => {
    const { sql, close } = await openDatabase({
      ...{ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: false, pooled: false },
    })
    try {
      // As a plan of a table that was empty goes on, when a first large batch is written.
      await sql`set enable_indexscan = off`
      await sql`set enable_bitmapscan = off`
      const plans: string[] = []
      const explained = async (parts: readonly string[], ...values: never[]) => {
        const [first = '', ...rest] = parts
        const texts = [`explain ${first}`, ...rest]
        const rows = await sql<{ 'QUERY PLAN': string }[]>(Object.assign(texts, { raw: texts }), ...values)
        plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
        return []
      }
      const ids = Array.from({ length: 1_000 }, () => randomUUID())
      const project = randomUUID() as ProjectId
      await createBatchStore(explained as unknown as Sql).certified(project, ids)
      expect(plans).toHaveLength(1)
      expect(plans[0]).toContain('receipt_members')
      expect(plans[0]).not.toMatch(/= ANY/)
    } finally {
      await close()
    }
  })
})
