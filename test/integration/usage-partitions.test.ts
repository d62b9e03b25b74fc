import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { migrate, readMigrations } from '../../src/db/migrate.js'
import { ensureMonthlyPartitions } from '../../src/db/partitions.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'

const DECEMBER = Date.parse('2026-12-31T23:59:59.999Z')
const THREE = ['usage_logs_2026_12', 'usage_logs_2027_01', 'usage_logs_2027_02']

let database: TestDatabase
let sql: Sql
const client = (schema: string, connectionsMax = 4) =>
  createClient({ url: database.url, schema, connectionsMax, prepare: true, pooled: false })

beforeEach(async () => {
  database = await cloneDatabase()
  sql = client('llmring')
})
afterEach(async () => {
  await sql.end()
  await database.drop()
})

const partitions = async () => {
  const rows = await sql`
    select c.relname as name, n.nspname as schema, pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_inherits join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = c.relnamespace
    where inhparent = 'usage_logs'::regclass order by 1`
  return [...rows]
}
const insertAt = (time: string) => sql`
  insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status)
  values (gen_random_uuid(), ${time}::text::timestamptz, gen_random_uuid(), 'p', 'm', 0, 'free')`

describe('partitions', () => {
  it('are made for this month and the next two, over the end of a year, and bounded in UTC', async () => {
    await sql`set timezone = 'Asia/Kolkata'`
    expect(await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)).toEqual(THREE)
    await sql`set timezone = 'UTC'`
    expect((await partitions()).map(({ name }) => name)).toEqual(THREE)
    await insertAt('2026-12-01T00:00:00Z')
    await insertAt('2027-02-28T23:59:59.999Z')
    for (const outside of ['2026-11-30T23:59:59.999Z', '2027-03-01T00:00:00Z']) {
      await expect(insertAt(outside)).rejects.toMatchObject({ code: '23514' })
    }
  })

  it('are not made twice: the next call makes what is missing alone', async () => {
    await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)
    expect(await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)).toEqual([])
    const january = Date.parse('2027-01-01T00:00:00.000Z')
    expect(await ensureMonthlyPartitions(sql, 'usage_logs', january)).toEqual(['usage_logs_2027_03'])
  })

  it('have the columns, defaults, checks, primary key and indexes of the whole', async () => {
    await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)
    const shape = (table: string) => sql`
      select column_name, data_type, is_nullable, column_default, collation_name from information_schema.columns
      where table_schema = 'llmring' and table_name = ${table} order by ordinal_position`
    expect([...(await shape('usage_logs_2027_01'))]).toEqual([...(await shape('usage_logs'))])
    const rules = (table: string) => sql`
      select contype, pg_get_constraintdef(oid) as definition from pg_constraint
      where conrelid = ${table}::text::regclass and contype in ('p', 'c') order by 1, 2`
    expect([...(await rules('usage_logs_2027_01'))]).toEqual([...(await rules('usage_logs'))])
    const [{ count } = { count: 0 }] = await sql`
      select count(*)::int from pg_index i join pg_inherits h on h.inhrelid = i.indexrelid
      where i.indrelid = 'usage_logs_2027_01'::regclass and i.indisvalid`
    expect(count).toBe(2)
  })

  it('are made once when many instances make them at the same time', async () => {
    const instances = Array.from({ length: 6 }, () => client('llmring', 1))
    try {
      const made = await Promise.all(instances.map((one) => ensureMonthlyPartitions(one, 'usage_logs', DECEMBER)))
      expect(made.flat().sort()).toEqual(THREE)
    } finally {
      await Promise.all(instances.map((one) => one.end()))
    }
  })

  it('are made in the schema that the search path names, beside those of another one', async () => {
    const other = client('tenant_b', 1)
    try {
      await migrate(other, 'tenant_b', await readMigrations())
      await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)
      expect(await ensureMonthlyPartitions(other, 'usage_logs', DECEMBER)).toEqual(THREE)
      const [row] =
        await other`select count(*)::int as n from pg_tables where schemaname = 'tenant_b' and tablename like 'usage_logs_20%'`
      expect(row?.n).toBe(3)
      expect((await partitions()).map(({ schema }) => schema)).toEqual(Array(3).fill('llmring'))
    } finally {
      await other.end()
    }
  })

  it('take in a table of their name that was made but never attached', async () => {
    await sql`create table usage_logs_2027_01 (like usage_logs including all excluding indexes)`
    expect(await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)).toEqual(THREE)
    await insertAt('2027-01-15T00:00:00Z')
  })

  it('are made all or none: a failure leaves nothing half made, and those that exist go on working', async () => {
    await ensureMonthlyPartitions(sql, 'usage_logs', Date.parse('2026-09-15T00:00:00Z'))
    await sql`create view usage_logs_2027_02 as select 1 as one`
    await expect(ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)).rejects.toThrow()
    expect((await partitions()).map(({ name }) => name)).toEqual([
      ...['usage_logs_2026_09', 'usage_logs_2026_10', 'usage_logs_2026_11'],
    ])
    await insertAt('2026-11-30T23:59:59.999Z')
  })

  it('are made while a writer is in the middle of its transaction, and it goes on', async () => {
    await ensureMonthlyPartitions(sql, 'usage_logs', Date.parse('2026-09-15T00:00:00Z'))
    await sql.begin(async (tx) => {
      const insert = () => tx`
        insert into usage_logs (project_id, logged_at, id, provider, model, cost, cost_status)
        values (gen_random_uuid(), '2026-10-01Z', gen_random_uuid(), 'p', 'm', 0, 'free')`
      await insert()
      expect(await ensureMonthlyPartitions(sql, 'usage_logs', DECEMBER)).toEqual(THREE)
      await insert()
    })
  })
})
