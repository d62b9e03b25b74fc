import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { dropMonthlyPartitions } from '../../src/db/drop-partitions.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { ensureMonthlyPartitions } from '../../src/db/partitions.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { startService } from '../support/service.js'

const FEBRUARY = Date.parse('2026-02-28T23:59:59.999Z')

let database: TestDatabase
let sql: Sql
const client = (schema = 'llmring', statementMsMax = 10_000) =>
  createClient({ url: database.url, schema, connectionsMax: 2, prepare: true, pooled: false, statementMsMax })

beforeEach(async () => {
  database = await cloneDatabase()
  sql = client()
})
afterEach(async () => {
  await sql.end()
  await database.drop()
})

const nameOf = (month: string) => `usage_logs_${month.replace('-', '_')}`
async function make(...months: string[]): Promise<void> {
  for (const month of months) await ensureMonthlyPartitions(sql, 'usage_logs', Date.parse(`${month}-15T00:00:00Z`), 0)
}
const insertAt = (time: string, on: Sql = sql) => on`
  insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status)
  values (gen_random_uuid(), ${time}::text::timestamptz, gen_random_uuid(), 'p', 'm', 0, 'free')`
const tables = async (schema = 'llmring') => {
  const rows = await sql`
    select tablename as name from pg_tables where schemaname = ${schema} and tablename ~ '^usage_logs_2' order by 1`
  return rows.map(({ name }) => name)
}
const drop = (monthsKept: number, on: Sql = sql) => dropMonthlyPartitions(on, 'usage_logs', FEBRUARY, monthsKept)

describe('partitions beyond the retention', () => {
  it('are dropped by whole months of UTC, over the end of a year; what is kept is untouched', async () => {
    await make('2025-10', '2025-11', '2025-12', '2026-01', '2026-02', '2026-03')
    for (const time of ['2025-11-30T23:59:59.999Z', '2025-12-01T00:00:00Z', '2026-02-01T00:00:00Z'])
      await insertAt(time)
    await sql`set timezone = 'Asia/Kolkata'`
    expect(await drop(2)).toEqual(['2025-10', '2025-11'].map(nameOf))
    expect(await tables()).toEqual(['2025-12', '2026-01', '2026-02', '2026-03'].map(nameOf))
    const left = await sql`select logged_at from usage_logs order by 1`
    expect(left.map(({ logged_at: at }) => at.toISOString())).toEqual([
      '2025-12-01T00:00:00.000Z',
      '2026-02-01T00:00:00.000Z',
    ])
    expect(await drop(2)).toEqual([])
    expect(await drop(1)).toEqual([nameOf('2025-12')])
  })

  it('go while others write to the months that are kept, and a reader of an old one is waited for', async () => {
    await make('2025-11', '2026-02')
    await insertAt('2025-11-05T00:00:00Z')
    const reader = client()
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let isReading = false
    const reading = reader.begin(async (tx) => {
      await tx`select count(*) from usage_logs`
      isReading = true
      await held
    })
    await eventually(() => expect(isReading).toBe(true))
    const dropping = drop(1)
    const waits = () =>
      sql`select 1 from pg_stat_activity where datname = current_database() and query like 'alter table%detach%' and wait_event_type = 'Lock'`
    await eventually(async () => expect(await waits()).toHaveLength(1))
    await insertAt('2026-02-05T00:00:00Z')
    release()
    await reading
    await reader.end()
    expect(await dropping).toEqual([nameOf('2025-11')])
    expect(await sql`select 1 from usage_logs`).toHaveLength(1)
  })

  it('that a crash left half detached are finished by the next call', async () => {
    await make('2025-11', '2026-02')
    const [reader, impatient] = [client(), client('llmring', 300)]
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const reading = reader.begin(async (tx) => {
      await tx`select count(*) from usage_logs`
      await held
    })
    await eventually(async () => {
      const idle = sql`
        select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`
      expect(await idle).toHaveLength(1)
    })
    await expect(drop(1, impatient)).rejects.toMatchObject({ code: '57014' })
    const pending = () => sql`select 1 from pg_inherits where inhdetachpending`
    expect(await pending()).toHaveLength(1)
    release()
    await reading
    await Promise.all([reader.end(), impatient.end()])
    expect(await drop(1)).toEqual([nameOf('2025-11')])
    expect([await pending(), await tables()]).toEqual([[], [nameOf('2026-02')]])
  })

  it('that were detached and not dropped are dropped by the next call', async () => {
    await make('2025-11', '2026-02')
    await sql.unsafe(`alter table usage_logs detach partition ${nameOf('2025-11')}`)
    expect(await drop(1)).toEqual([nameOf('2025-11')])
    expect(await tables()).toEqual([nameOf('2026-02')])
  })

  it('go once when many instances drop them at the same time, and none of them fails', async () => {
    const old = ['2025-08', '2025-09', '2025-10', '2025-11']
    await make(...old, '2026-02')
    const instances = Array.from({ length: 5 }, () => client())
    try {
      const gone = await Promise.all(instances.map((one) => drop(1, one)))
      // Of two that end one detachment together either may leave the table to the next call.
      gone.push(await drop(1))
      expect(new Set(gone.flat().sort())).toEqual(new Set(old.map(nameOf)))
      expect(gone.flat()).toHaveLength(old.length)
      expect(await tables()).toEqual([nameOf('2026-02')])
    } finally {
      await Promise.all(instances.map((one) => one.end()))
    }
  })

  it('are those of this schema alone, and nothing else whose name begins alike', async () => {
    const other = client('tenant_b')
    try {
      await migrate(other, 'tenant_b', await readMigrations())
      await ensureMonthlyPartitions(other, 'usage_logs', Date.parse('2025-06-15T00:00:00Z'), 0)
      await make('2025-06', '2026-02')
      for (const name of ['usage_logs_2025_06_copy', 'usage_logs_2025', 'my_usage_logs_2025_06']) {
        await sql.unsafe(`create table ${name} ()`)
      }
      expect(await drop(1)).toEqual([nameOf('2025-06')])
      expect(await tables('tenant_b')).toContain(nameOf('2025-06'))
      expect(await tables()).toEqual(['usage_logs_2025', 'usage_logs_2025_06_copy', nameOf('2026-02')])
    } finally {
      await other.end()
    }
  })
})

describe('the service', () => {
  const now = new Date()
  const monthBefore = (months: number) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 7)

  it.each([
    ['drops what is older than it is told to keep', { LLMRING_USAGE_RETENTION_MONTHS: '3' }, [4, 5]],
    ['keeps everything if it is told nothing', {}, []],
  ])('%s, at its start', async (_, environment: Record<string, string>, gone: readonly number[]) => {
    await make(...[5, 4, 3, 1].map(monthBefore))
    const service = await startService({ LLMRING_DATABASE_URL: database.url, ...environment })
    try {
      const kept = [5, 4, 3, 1].filter((months) => !gone.includes(months)).map((months) => nameOf(monthBefore(months)))
      expect((await tables()).filter((name) => name < nameOf(monthBefore(0)))).toEqual(kept)
      expect((await service.call('/readyz')).json.checks.usage).toBe(true)
    } finally {
      await service.close()
    }
  })
})
