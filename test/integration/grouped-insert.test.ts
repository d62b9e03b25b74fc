import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ProjectId } from '../../src/access/principal.js'
import { checkTokens } from '../../src/core/pricing/index.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { receipts } from '../../src/db/tables/receipts.js'
import { usageLogs } from '../../src/db/tables/usage.js'
import { createTransact } from '../../src/db/transact.js'
import type { NewReceipt } from '../../src/features/receipts/receipt.js'
import { createReceiptStore } from '../../src/features/receipts/store.js'
import type { UsageRow } from '../../src/features/usage/event.js'
import { createUsageStore } from '../../src/features/usage/store.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

let clone: TestDatabase
let database: Database
beforeAll(async () => {
  clone = await cloneDatabase()
  database = await openDatabase({
    ...{ url: clone.url, schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false },
  })
})
afterAll(async () => {
  await database.close()
  await clone.drop()
})

const AT = new Date('2026-03-15T12:00:00.123Z')
const HOSTILE = 'a,b{}"\\N\'ü\n'

it('columns that no row of a group has a value for are null in each, and the others keep their order', async () => {
  const store = createUsageStore(database)
  await store.ensurePartitions(AT.getTime())
  const projectId = randomUUID() as ProjectId
  const tokens = { input_tokens: null, output_tokens: null }
  const row = (alias: string | null): UsageRow => ({
    ...{ projectId, keyId: null, id: randomUUID(), loggedAt: AT.toISOString(), cost: '0', computedCost: null },
    ...{ reportedCost: null, status: 'no_price', registryVersion: null, unitPrices: null },
    event: {
      ...{ provider: 'provider', model: 'model', alias, profile: null, origin: null, idAtOrigin: null },
      ...{ conversationId: null, tokens, parts: partsOf(), latencyMs: null, reportedPico: null, metadata: null },
    },
  })
  const rows = [row(null), row('second'), row(null)]
  await store.insert(rows, 2)
  const stored = await database.orm.select().from(usageLogs).where(eq(usageLogs.projectId, projectId))
  const found = stored.map(({ id, alias, keyId, inputTokens, metadata }) => [id, alias, keyId, inputTokens, metadata])
  const expected = rows.map(({ id, event }) => [id, event.alias, null, null, null])
  expect(found.sort()).toEqual(expected.sort())
})

it('a usage row has every value in the column of its name', async () => {
  const store = createUsageStore(database)
  await store.ensurePartitions(AT.getTime())
  const tokens = {
    ...{ input_tokens: 9_007_199_254_740_991, output_tokens: 2, cached_input_tokens: 3, cache_read_input_tokens: 4 },
    ...{ cache_write_5m_input_tokens: 5, cache_write_1h_input_tokens: 6, reasoning_tokens: 7 },
    input_tokens_include_cache: false,
  }
  const names = { provider: 'provider', model: 'model', alias: HOSTILE, profile: 'profile', origin: 'origin' }
  const ids = { idAtOrigin: 'at origin', conversationId: 'conversation' }
  const event = { ...names, ...ids, tokens, latencyMs: 0.1, metadata: `{"k":[null,${JSON.stringify(HOSTILE)}]}` }
  const row = {
    ...{ projectId: randomUUID() as ProjectId, keyId: randomUUID(), id: randomUUID(), loggedAt: AT.toISOString() },
    ...{ cost: '123456789012345678.000000000001', reportedCost: '2.000000000000', computedCost: '3.000000000000' },
    ...{ status: 'reported' as const, registryVersion: 'openai@7', unitPrices: { input: '0.15' } },
    event: { ...event, parts: partsOf(), reportedPico: null },
  } satisfies UsageRow
  await store.insert([row], 2)
  const [stored] = await database.orm.select().from(usageLogs).where(eq(usageLogs.projectId, row.projectId))
  expect(stored).toEqual({
    ...{ projectId: row.projectId, loggedAt: AT, id: row.id, keyId: row.keyId, ...names, ...ids },
    ...{ earlierPrices: null, repriced: null },
    ...{ inputTokens: 9_007_199_254_740_991, outputTokens: 2, cachedInputTokens: 3, cacheReadInputTokens: 4 },
    ...{ cacheWrite5mInputTokens: 5, cacheWrite1hInputTokens: 6, reasoningTokens: 7, inputTokensIncludeCache: false },
    ...{ latencyMs: 0.1, cost: row.cost, reportedCost: row.reportedCost, computedCost: row.computedCost },
    ...{ costStatus: 'reported', registryProviderVersion: 'openai@7', unitPrices: { input: '0.15' } },
    metadata: { k: [null, HOSTILE] },
  })
})

it('a receipt has every value in the column of its name, and its bytes as they were', async () => {
  const receipt: NewReceipt = {
    ...{ projectId: randomUUID() as ProjectId, id: HOSTILE, kind: 'stored', keyId: 'key', legacyRule: 'rule' },
    ...{ requestSha256: Uint8Array.from([255, 0, 1]), canonical: Uint8Array.from({ length: 256 }, (_, byte) => byte) },
    ...{ storedAt: AT.getTime(), seq: null, entry: Uint8Array.from({ length: 32 }, (_, byte) => 255 - byte) },
  }
  const without: NewReceipt = {
    ...{ ...receipt, id: 'without', kind: 'issued', requestSha256: null, legacyRule: null },
    seq: 9_007_199_254_740_991,
  }
  const store = createReceiptStore(database)
  await createTransact(database.sql)((tx) => store.insert(tx, [receipt, without]))
  const stored = await database.orm.select().from(receipts).where(eq(receipts.projectId, receipt.projectId))
  const asStored = ({ canonical, requestSha256, entry, ...rest }: NewReceipt) => ({
    ...{ ...rest, storedAt: AT, canonical: Buffer.from(canonical), entry: Buffer.from(entry) },
    requestSha256: requestSha256 === null ? null : Buffer.from(requestSha256),
  })
  expect(stored.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual([asStored(receipt), asStored(without)])
})

function partsOf() {
  const checked = checkTokens({ input_tokens: 1, output_tokens: 1 })
  if (!checked.ok) throw new Error('these counts are right')
  return checked.parts
}

it('a group of rows with and without marks keeps the marks of those that have one, as they are', async () => {
  const store = createUsageStore(database)
  await store.ensurePartitions(AT.getTime())
  const projectId = randomUUID() as ProjectId
  const row = (answer: string | null): UsageRow => ({
    ...{ projectId, keyId: null, id: randomUUID(), loggedAt: AT.toISOString(), cost: '0', computedCost: null },
    ...{ reportedCost: null, status: 'no_price', registryVersion: null, unitPrices: null },
    event: {
      ...{ provider: 'provider', model: 'model', alias: null, profile: null, origin: null, idAtOrigin: null },
      ...{ conversationId: null, tokens: { input_tokens: null, output_tokens: null }, parts: partsOf() },
      ...{ latencyMs: null, reportedPico: null, metadata: null },
    },
    mark:
      answer === null
        ? undefined
        : { key: HOSTILE + answer, item: 0, sha256: 'ab'.repeat(32), answer, markedAt: AT.toISOString() },
  })
  const answers = [null, `{"text":${JSON.stringify(HOSTILE)}}`, null, 'NULL', '{}', ',', null]
  for (const group of [answers, answers.slice(0, 1), ['"']]) await store.insert(group.map(row), 2)
  const kept = [...answers, '"'].filter((answer) => answer !== null)
  const found = await store.marks.find(kept.map((answer) => ({ projectId, key: HOSTILE + answer, item: 0 })))
  expect(found.map(({ answer }) => answer).sort()).toEqual(kept.sort())
})
