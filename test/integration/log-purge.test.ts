import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../src/db/client.js'
import { createCheckpointStore, createWitnessedStore } from '../../src/features/transparency/checkpoint-store.js'
import { TRANSPARENCY_LIMITS } from '../../src/features/transparency/limits.js'
import { createPurge } from '../../src/features/transparency/purge-checkpoints.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

const NOW = Date.parse('2026-03-01T12:00:30.000Z')
const { purgeAgeMsMin, purgeRowsMax } = TRANSPARENCY_LIMITS
let database: TestDatabase
let opened: Database

beforeEach(async () => {
  database = await cloneDatabase()
  opened = await openDatabase({
    ...{ url: database.url, schema: 'llmring', connectionsMax: 2, prepare: true, pooled: false },
  })
})
afterEach(async () => {
  await opened.close()
  await database.drop()
})

/** Checkpoints of the sizes from one on, a tenth of a second apart, up to a moment; each hundredth is cosigned. */
async function keep(from: number, count: number, until: number): Promise<void> {
  await opened.sql`
    insert into log_checkpoints (size, root, note, signed_at, witnesses)
    select n, ${randomBytes(32)}, 'a note', ${new Date(until)}::timestamptz - (${from + count - 1} - n) * interval '100 ms',
      case when n % 100 = 0 then 1 else 0 end
    from generate_series(${from}::bigint, ${from + count - 1}::bigint) as n`
}

const kept = async (): Promise<{ size: number; minute: number; witnesses: number }[]> => [
  ...(await opened.sql<{ size: number; minute: number; witnesses: number }[]>`
      select size::float8 as size, floor(extract(epoch from signed_at) / 60)::float8 as minute, witnesses
      from log_checkpoints order by log_checkpoints.size`),
]

test('of old checkpoints the database keeps every cosigned one and the last of each minute, over several pages', async () => {
  const old = NOW - purgeAgeMsMin - 1
  await keep(1, 2_500, old)
  await keep(3_001, 50, NOW)
  const purge = createPurge({ ...createCheckpointStore(opened.sql), clock: () => NOW })
  expect(2_500).toBeGreaterThan(2 * purgeRowsMax)
  const all = await kept()
  await purge()
  const left = await kept()
  const lastOf = new Map(all.filter(({ size }) => size <= 2_500).map(({ size, minute }) => [minute, size]))
  const wanted = all.filter(
    ({ size, minute, witnesses }) => size > 3_000 || witnesses > 0 || lastOf.get(minute) === size,
  )
  expect(left).toEqual(wanted)
  expect(left.length).toBeLessThan(100)
  // Again: there is nothing left to do.
  await purge()
  expect(await kept()).toEqual(wanted)
})

test('one that is cosigned between the look and the deletion is kept', async () => {
  await keep(1, 10, NOW - purgeAgeMsMin - 1)
  const store = createCheckpointStore(opened.sql)
  const purge = createPurge({
    listAged: async (...asked) => {
      const aged = await store.listAged(...asked)
      await opened.sql`update log_checkpoints set witnesses = 1 where size = 5`
      return aged
    },
    deleteUnwitnessed: store.deleteUnwitnessed,
    clock: () => NOW,
  })
  await purge()
  expect((await kept()).map(({ size }) => size)).toEqual([5, 10])
})

test('the cosigned ones are found by their own index, however many were not cosigned', async () => {
  await keep(1, 3_000, NOW)
  await opened.sql`update log_checkpoints set witnesses = 0 where size > 100`
  await opened.sql`analyze log_checkpoints`
  const { listFirst, listLast } = createWitnessedStore(opened.sql)
  expect((await listLast(3_000, 16)).map(({ size }) => size)).toEqual([100])
  expect((await listFirst(0, 16)).map(({ size }) => size)).toEqual([100])
  const plan = await opened.sql<{ 'QUERY PLAN': string }[]>`
    explain select size from log_checkpoints where size <= 3000 and witnesses > 0 order by log_checkpoints.size desc limit 16`
  expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('log_checkpoints_witnessed')
})
