import { randomUUID } from 'node:crypto'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'

const EVENT = { provider: 'openai', model: 'gpt-4o-mini', input_tokens: 1200, output_tokens: 340 }

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

const newKey = () => `parquet-${randomUUID()}`
async function log(key: string, changes: Record<string, unknown> = {}): Promise<string> {
  const { status, text, json } = await service.call('/api/v1/log', { key, json: { ...EVENT, ...changes } })
  if (status !== 200) throw new Error(text)
  return json.log_id
}

async function read(key: string, query = '') {
  const response = await fetch(`${service.url}/api/v1/export?format=parquet${query}`, {
    headers: { 'X-Project-Key': key },
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/vnd.apache.parquet')
  expect(response.headers.get('content-disposition')).toBe('attachment; filename="usage.parquet"')
  const file = await response.arrayBuffer()
  const metadata = await parquetMetadataAsync(file)
  const rows = (await parquetReadObjects({ file, metadata })) as Record<string, unknown>[]
  const next = metadata.key_value_metadata?.find((pair) => pair.key === 'next_cursor')?.value
  return { metadata, rows, next }
}

async function lines(key: string): Promise<Record<string, unknown>[]> {
  const { text } = await service.call('/api/v1/export', { key })
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line: string) => JSON.parse(line))
  return rows.slice(0, -1)
}

/** A row as NDJSON has it: objects there, texts here; counts are wide integers here. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  const objects = ['unit_prices', 'metadata', 'earlier_prices']
  const plainOf = ([name, value]: [string, unknown]) => {
    if (typeof value === 'bigint') return [name, Number(value)]
    if (value instanceof Date) return [name, value.toISOString()]
    if (objects.includes(name) && typeof value === 'string') return [name, JSON.parse(value)]
    return [name, value]
  }
  return Object.fromEntries(Object.entries(row).map(plainOf))
}
const withoutCursor = ({ cursor: _, ...row }: Record<string, unknown>) => row

describe('a download as Parquet', () => {
  it('has what the same download has as NDJSON, and its end the cursor to go on with', async () => {
    const key = newKey()
    await log(key, { alias: 'say "hi",\nthere \u{1f600}', metadata: { a: [1, null], big: 12345678901 }, cost: 1e-12 })
    await log(key, { input_tokens: 1_000_000_000_000, output_tokens: 0, latency_ms: 0.25, origin: '' })
    await log(key, { provider: 'nobody', reasoning_tokens: 3, input_tokens_include_cache: false })
    const expected = await lines(key)
    const { rows, next } = await read(key)
    expect(rows.map(plain).map(withoutCursor)).toEqual(expected.map(withoutCursor))
    expect(rows[0]?.['cost_decimal']).toBe('0.000000000001')
    expect(rows[0]?.['logged_at']).toEqual(new Date(String(expected[0]?.['logged_at'])))
    expect(rows[1]?.['input_tokens']).toBe(1_000_000_000_000n)
    expect(rows.at(-1)?.['cursor']).toBe(next)
    const behind = await read(key, `&after=${next}`)
    expect([behind.rows, behind.next]).toEqual([[], next])
    const id = await log(key)
    expect((await read(key, `&after=${next}`)).rows.map((row) => row['id'])).toEqual([id])
  })

  it('of many rows has each once, in their order, in groups of which one is held at a time', async () => {
    const key = newKey()
    const id = await log(key)
    await service.sql`
      insert into usage_logs (project_id, logged_at, id, provider, model, input_tokens, cost, cost_status, metadata)
      select project_id, logged_at - n * interval '1 millisecond', gen_random_uuid(), 'p', 'm', n, n / 1000.0, 'reported',
        case when n % 3 = 0 then jsonb_build_object('text', repeat('x', 900)) end
      from usage_logs, generate_series(1, 8999::int) n where id = ${id}`
    const expected = await lines(key)
    const { rows, metadata } = await read(key)
    expect(rows.map((row) => row['id'])).toEqual(expected.map((row) => row['id']))
    expect(rows.map((row) => row['cost_decimal'])).toEqual(expected.map((row) => row['cost_decimal']))
    expect(metadata.row_groups.length).toBeGreaterThan(2)
    expect(Number(metadata.num_rows)).toBe(9_000)
  })

  it('of nothing is a file that can be read', async () => {
    const { rows, metadata, next } = await read(newKey())
    expect([rows, Number(metadata.num_rows), next]).toEqual([[], 0, undefined])
  })

  it('keeps to the filters', async () => {
    const key = newKey()
    await log(key)
    const id = await log(key, { provider: 'nobody' })
    expect((await read(key, '&provider=nobody')).rows.map((row) => row['id'])).toEqual([id])
  })
})
