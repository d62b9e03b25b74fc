import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Sql } from '../../src/db/client.js'
import { type Database, openDatabase } from '../../src/db/client.js'
import { pageReceiptEntries } from '../../src/features/receipts/feature.js'
import { openFsck } from '../../src/features/transparency/feature.js'
import { createLogSigner } from '../../src/features/transparency/log-key.js'
import { sha256 } from '../../src/platform/sha256.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { LOG_ORIGIN, LOG_SEED, type LogInstance, newEntry, startLog } from '../support/log-instance.js'

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

const { key: logKey } = createLogSigner(LOG_ORIGIN, LOG_SEED)
const check = (key: typeof logKey | null = logKey) => {
  const seen: number[] = []
  const { sql } = opened
  const onProgress = ({ entries }: { readonly entries: number }) => void seen.push(entries)
  return openFsck(sql)({ logKey: key, pageEntries: pageReceiptEntries(sql), onProgress })
}
const kinds = async () => [...new Set((await check()).findings.map(({ kind }) => kind))]

/** A log of so many entries, with a checkpoint after each append, that nothing looks after any more. */
async function makeLog(...appends: readonly number[]): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  const instance: LogInstance = await startLog({ url: database.url, guard: { kind: 'none' } })
  try {
    for (const count of appends) {
      const entries = Array.from({ length: count }, newEntry)
      await instance.append(entries)
      expect(await instance.log.waitLogged(entries.at(-1) ?? newEntry(), 20_000)).toBe(true)
      all.push(...entries)
    }
  } finally {
    await instance.close()
  }
  return all
}

async function keepReceipt(sql: Sql, canonical: Uint8Array, entry: Uint8Array): Promise<void> {
  await sql`insert into receipts (project_id, id, kind, key_id, canonical, stored_at, entry)
    values (${randomUUID()}, 'one', 'stored', 'k', ${Buffer.from(canonical)}, now(), ${Buffer.from(entry)})`
}

describe('a check of the log', () => {
  it('finds nothing wrong with a log that is whole, and says how much it read', async () => {
    await makeLog(1, 254, 1, 1, 443)
    const report = await check()
    expect(report).toMatchObject({ ok: true, faults: 0, findings: [], entries: 700, tiles: 4, receipts: 0 })
    expect(report.checkpoints).toBeGreaterThanOrEqual(6)
  })

  it('of a log that has not begun, or has no entries, finds nothing', async () => {
    expect(await check()).toMatchObject({ ok: true, entries: 0 })
    await makeLog()
    expect(await check()).toMatchObject({ ok: true, entries: 0, checkpoints: 1 })
  })

  const DAMAGES: readonly (readonly [string, string])[] = [
    [
      'wrong-tile',
      `update log_tiles set hashes = overlay(hashes placing '\\x00'::bytea from 40) where level = 0 and index = 1`,
    ],
    ['wrong-tile', 'update log_tiles set hashes = substring(hashes from 1 for 32) where level = 1'],
    ['missing-tile', 'delete from log_tiles where level = 0 and index = 0'],
    ['extra-tile', `insert into log_tiles values (0, 3, decode(repeat('00', 32), 'hex'))`],
    ['extra-tile', `insert into log_tiles values (4, 0, decode(repeat('00', 32), 'hex'))`],
    ['missing-entry', 'delete from log_entries where index = 699'],
    ['wrong-checkpoint', `update log_checkpoints set root = decode(repeat('00', 32), 'hex') where size = 255`],
    ['unsigned-checkpoint', `update log_checkpoints set note = replace(note, '255', '254') where size = 255`],
    ['wrong-head', `update log_head set root = decode(repeat('00', 32), 'hex')`],
  ]
  it.each(DAMAGES)('finds a %s: %s', async (kind, damage) => {
    await makeLog(255, 445)
    await opened.sql.unsafe(damage)
    expect(await kinds()).toEqual(expect.arrayContaining([kind]))
  })

  it('finds an entry that was changed, in the tiles, the checkpoints and the head alike', async () => {
    await makeLog(255, 445)
    await opened.sql.unsafe(`update log_entries set entry = decode(repeat('00', 32), 'hex') where index = 100`)
    expect((await kinds()).sort()).toEqual(['wrong-checkpoint', 'wrong-head', 'wrong-tile'])
    expect((await check()).ok).toBe(false)
  })

  it('finds two entries that changed places', async () => {
    await makeLog(300)
    await opened.sql.unsafe(`
      update log_entries set entry = other.entry from log_entries as other
      where (log_entries.index, other.index) in ((7, 8), (8, 7))`)
    expect(await kinds()).toContain('wrong-tile')
  })

  it('without a key compares all but signatures', async () => {
    await makeLog(255)
    await opened.sql.unsafe(`update log_checkpoints set note = 'no note'`)
    expect(await check(null)).toMatchObject({ ok: true })
    expect(await kinds()).toEqual(['unsigned-checkpoint'])
  })

  it('finds receipts that are neither in the log nor pending, and those that their entries do not describe', async () => {
    const [logged = newEntry()] = await makeLog(1)
    const [one, other, third] = [Buffer.from('{"a":1}'), Buffer.from('{"a":2}'), Buffer.from('{"a":3}')]
    await keepReceipt(opened.sql, one, sha256(one))
    await keepReceipt(opened.sql, other, logged)
    await keepReceipt(opened.sql, third, sha256(third))
    await opened.sql`insert into log_pending (entry, pending_since) values (${Buffer.from(sha256(third))}, now())`
    const report = await check()
    expect(report).toMatchObject({ ok: false, receipts: 3, faults: 2 })
    expect(report.findings.map(({ kind }) => kind).sort()).toEqual(['receipt-entry-wrong', 'receipt-not-logged'])
    expect(report.findings.map(({ detail }) => detail).join()).toContain(Buffer.from(sha256(one)).toString('hex'))
  })
})
