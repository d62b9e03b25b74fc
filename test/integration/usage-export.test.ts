import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { createAhead } from '../../src/features/usage/read/download-ahead.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
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

const newKey = () => `export-${randomUUID()}`
async function log(key: string, changes: Record<string, unknown> = {}): Promise<string> {
  const { status, text, json } = await service.call('/api/v1/log', { key, json: { ...EVENT, ...changes } })
  if (status !== 200) throw new Error(text)
  return json.log_id
}

/** Copies the only event of a project, each a millisecond before the last; answers the project's id. */
async function multiply(key: string, rows: number, metadata: string | null = null): Promise<string> {
  const id = await log(key)
  await service.sql`
    insert into usage_logs (project_id, logged_at, id, provider, model, origin, input_tokens, cost, cost_status, metadata)
    select project_id, logged_at - n * interval '1 millisecond', gen_random_uuid(), 'p', 'm' || n % 7,
      case when n % 10 = 0 then 'tenth' end, n, n / 1000.0, 'reported', ${metadata}::text::jsonb
    from usage_logs, generate_series(1, ${rows - 1}::int) n where id = ${id}`
  const [row] = await service.sql<{ project: string }[]>`select project_id as project from usage_logs where id = ${id}`
  return row?.project ?? ''
}

const get = (path: string, key: string) => service.call(`/api/v1/${path}`, { key })
async function download(key: string, query = '') {
  const { status, text, headers } = await get(`export${query}`, key)
  expect(status).toBe(200)
  const lines = text.trimEnd().split('\n')
  const end = JSON.parse(lines.pop() ?? '')
  return { text, headers, end, rows: lines.map((line) => JSON.parse(line)) }
}

const idsOf = async (key: string) => {
  const rows = await service.sql`
    select id from usage_logs where project_id = (select project_id from usage_logs where id = ${await log(key)})
    order by logged_at, id`
  return rows.map(({ id }) => id)
}

/** Every page of a list, by its cursor. */
async function pagesOf(key: string, query: string): Promise<string[][]> {
  const pages: string[][] = []
  let after = ''
  do {
    const { json } = await get(`logs?paged=true&${query}${after}`, key)
    pages.push(json.logs.map(({ id }: { id: string }) => id))
    after = json.next_cursor === null ? '' : `&after=${json.next_cursor}`
  } while (after !== '')
  return pages
}

describe('a list by its cursor', () => {
  it('holds each event once, newest first, whatever is recorded meanwhile', async () => {
    const key = newKey()
    await multiply(key, 40)
    const expected = (await idsOf(key)).reverse()
    const first = (await get('logs?paged=true&limit=7', key)).json
    await log(key)
    const ids = first.logs.map(({ id }: { id: string }) => id)
    for (let next = first.next_cursor; next !== null; ) {
      const page = (await get(`logs?limit=9&after=${next}`, key)).json
      ids.push(...page.logs.map(({ id }: { id: string }) => id))
      next = page.next_cursor
    }
    expect(ids).toEqual(expected)
  })

  it('goes on behind a page whose rows are too large to be sent at once', async () => {
    const key = newKey()
    await multiply(key, 24, JSON.stringify({ text: 'x'.repeat(60_000) }))
    const expected = (await idsOf(key)).reverse()
    const pages = await pagesOf(key, 'limit=10')
    expect(pages.flat()).toEqual(expected)
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
  })

  it('is narrowed by provider, profile and cost status, too', async () => {
    const key = newKey()
    const a = await log(key, { provider: 'nobody', profile: 'prod' })
    const b = await log(key, { cost: 0.5, profile: 'dev' })
    expect(await pagesOf(key, 'provider=nobody')).toEqual([[a]])
    expect(await pagesOf(key, 'profile=dev')).toEqual([[b]])
    expect(await pagesOf(key, 'cost_status=reported')).toEqual([[b]])
    expect((await get('logs?cost_status=unknown_model', key)).json[0].id).toBe(a)
  })

  it.each([
    ['another project', newKey(), ''],
    ['other filters', null, '&model=m1'],
    ['another start', null, '&start_date=2026-01-01'],
  ])('refuses the cursor of %s', async (_, other, query) => {
    const key = newKey()
    await multiply(key, 3)
    const cursor = (await get('logs?paged=true&limit=2', key)).json.next_cursor
    for (const path of ['logs', 'export']) {
      const { status, json } = await get(`${path}?after=${cursor}${query}`, other ?? key)
      // A download goes the other way, so the list's own cursor is none of it.
      expect([path, status, json.errors[0].pointer]).toEqual([path, 422, 'query/after'])
    }
    expect((await get(`logs?after=${cursor}`, key)).json.logs).toHaveLength(1)
  })

  it.each(['after=x', 'paged=yes', 'after=WyJ4Il0', 'cost_status=cheap'])('refuses %s', async (query) => {
    expect((await get(`logs?${query}`, newKey())).status).toBe(422)
  })

  it('takes a cursor or an offset, not both', async () => {
    const key = newKey()
    await multiply(key, 3)
    const cursor = (await get('logs?paged=true&limit=1', key)).json.next_cursor
    const { status, json } = await get(`logs?after=${cursor}&offset=1`, key)
    expect([status, json.errors[0].pointer]).toEqual([422, 'query/offset'])
  })
})

describe('a download', () => {
  it('is every event once, oldest first, as the list shows it, and says its end', async () => {
    const key = newKey()
    await log(key, {
      alias: 'a "quoted"\nname',
      cost: 0.1,
      metadata: { z: [1.5, null, { ä: '\u2028' }] },
      origin: '😀',
    })
    await log(key, { cached_input_tokens: 200, latency_ms: 12.25 })
    await log(key, { provider: 'nobody' })
    const { rows, end, headers } = await download(key)
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    const { cursor, ...last } = rows.pop()
    expect([...rows, last]).toEqual((await get('logs', key)).json.reverse())
    expect(end).toEqual({ type: 'end', rows: 3, next_cursor: cursor })
  })

  it('writes times with three decimals whatever they end with', async () => {
    const key = newKey()
    const id = await log(key)
    await service.sql`update usage_logs set logged_at = date_trunc('second', logged_at) where id = ${id}`
    const [row] = (await download(key)).rows
    expect(row.logged_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/)
  })

  it('goes on behind any cursor, so that a cut costs one page', async () => {
    const key = newKey()
    await multiply(key, 5_000)
    const whole = await download(key)
    expect(whole.rows.map(({ id }) => id)).toEqual((await idsOf(key)).slice(0, 5_000))
    const marks = whole.rows.flatMap(({ cursor }, index) => (cursor === undefined ? [] : [index]))
    expect(marks.length).toBeGreaterThan(3)
    for (const mark of [marks[0] ?? 0, marks[2] ?? 0]) {
      const rest = await download(key, `?after=${whole.rows[mark].cursor}`)
      const ids = rest.rows.map(({ id }) => id)
      expect(ids.slice(0, 4_999 - mark)).toEqual(whole.rows.slice(mark + 1).map(({ id }) => id))
    }
  })

  it('finds what is recorded after its end, and keeps its cursor if nothing was', async () => {
    const key = newKey()
    expect((await download(key)).end).toEqual({ type: 'end', rows: 0, next_cursor: null })
    await log(key)
    const { end } = await download(key)
    expect((await download(key, `?after=${end.next_cursor}`)).end).toEqual({ ...end, rows: 0 })
    const id = await log(key)
    expect((await download(key, `?after=${end.next_cursor}&end_date=2999-01-01`)).rows.map((row) => row.id)).toEqual([
      id,
    ])
  })

  it('looks through more rows than one statement may for those that match', async () => {
    const key = newKey()
    const scan = USAGE_LIMITS.exportScanRowsMax
    const project = await multiply(key, 2 * scan + 10)
    await service.sql`
      update usage_logs set alias = 'rare' where project_id = ${project} and input_tokens in (3, ${scan - 6}, ${2 * scan + 3})`
    const { rows, end } = await download(key, '?alias=rare')
    expect([rows.length, end.rows]).toEqual([3, 3])
    expect((await download(key, '?alias=no-such')).end.rows).toBe(0)
    expect((await download(key, '?origin=tenth&model=m3')).rows.every((row) => row.origin === 'tenth')).toBe(true)
  })

  it('has pages of few rows if they are large, though the first ones were small', async () => {
    const key = newKey()
    await multiply(key, 300, JSON.stringify({ text: 'y'.repeat(60_000) }))
    await service.sql`
      update usage_logs set metadata = null
      where origin is distinct from 'tenth' and model = 'm1' or input_tokens > 150 and metadata->>'text' like 'y%'`
    const { rows } = await download(key)
    expect(rows).toHaveLength(300)
    const marks = rows.flatMap(({ cursor }, index) => (cursor === undefined ? [] : [index]))
    const sizes = marks.map((mark, index) => JSON.stringify(rows.slice((marks[index - 1] ?? -1) + 1, mark + 1)).length)
    expect(Math.max(...sizes)).toBeLessThan(1.3 * USAGE_LIMITS.exportPageBytesMax)
  })
})

describe('a reader of a download', () => {
  /** What came of a download before the reader left, after so many bytes. */
  async function readSome(key: string, bytesMin: number): Promise<string> {
    const leaving = new AbortController()
    const headers = { 'X-Project-Key': key }
    const response = await fetch(`${service.url}/api/v1/export`, { headers, signal: leaving.signal })
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length >= bytesMin) break
    }
    leaving.abort()
    return text
  }
  const statementsUnderWay = () => service.sql`
    select 1 from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query like '%usage_logs%' and state <> 'idle'`

  it('that was cut drops what stands behind the last cursor, and misses and repeats nothing', async () => {
    const key = newKey()
    await multiply(key, 6_000)
    const whole = (await download(key)).rows.map(({ id }) => id)
    const lines = (await readSome(key, 2_000_000)).split('\n').slice(0, -1)
    const rows = lines.map((line) => JSON.parse(line))
    const last = rows.findLastIndex(({ cursor }) => cursor !== undefined)
    expect(last).toBeGreaterThan(1_000)
    expect(last).toBeLessThan(5_999)
    const rest = await download(key, `?after=${rows[last].cursor}`)
    const joined = [...rows.slice(0, last + 1), ...rest.rows].map(({ id }) => id)
    expect(joined).toEqual(whole)
  })

  it('that stands still holds no statement and no transaction of the database open', async () => {
    const key = newKey()
    await multiply(key, 20_000)
    const response = await fetch(`${service.url}/api/v1/export`, { headers: { 'X-Project-Key': key } })
    const reader = response.body?.getReader()
    expect((await reader?.read())?.value?.length).toBeGreaterThan(0)
    await eventually(async () => expect(await statementsUnderWay()).toHaveLength(0))
    expect((await get('logs?limit=1', key)).status).toBe(200)
    await reader?.cancel()
  })

  it('that comes while the database refuses is told so before anything is sent', async () => {
    const key = newKey()
    await log(key)
    await service.sql`alter table usage_logs rename column origin to origin_away`
    try {
      const { status, json } = await get('export', key)
      expect([status, json.code]).toEqual([500, 'internal-error'])
    } finally {
      await service.sql`alter table usage_logs rename column origin_away to origin`
    }
    expect((await download(key)).rows).toHaveLength(1)
  })
})

describe('a download as CSV', () => {
  const csv = async (key: string, query = '') => {
    const { text, headers } = await get(`export?format=csv${query}`, key)
    expect(headers.get('content-disposition')).toBe('attachment; filename="usage.csv"')
    return text
  }

  it('has a column for each member, and its last row a cursor', async () => {
    const key = newKey()
    await log(key, { alias: 'say "hi",\nthere', metadata: { a: 1 }, cost: 0.25 })
    const text = await csv(key)
    const [header = '', ...rest] = text.split('\r\n')
    const [entry] = (await get('logs', key)).json
    expect(header.split(',')).toEqual([...Object.keys(entry), 'cursor'])
    expect(rest.join('\r\n')).toContain(`${entry.logged_at},openai,gpt-4o-mini,"say ""hi"",\nthere",,,`)
    expect(rest.join('\r\n')).toContain('"{""a"": 1}"')
    expect(rest.join('\r\n')).toContain(',true,,0.25,0.250000000000,reported,')
    const cursor = /,([\w-]+)\r\n$/.exec(text)?.[1]
    expect(await csv(key, `&after=${cursor}`)).toBe('')
    await log(key)
    expect((await csv(key, `&after=${cursor}`)).split('\r\n')).toHaveLength(2)
  })

  it('is whole if it is put together from its parts', async () => {
    const key = newKey()
    await multiply(key, 900)
    const text = await csv(key)
    const lines = text.split('\r\n')
    const cut = lines.findIndex((line, index) => index > 0 && !line.endsWith(','))
    expect(cut).toBeLessThan(800)
    const rest = await csv(key, `&after=${lines[cut]?.split(',').at(-1)}`)
    const without = (all: string) => all.split('\r\n').map((line) => line.replace(/[^,]*$/, ''))
    expect(without([...lines.slice(0, cut + 1), rest].join('\r\n'))).toEqual(without(text))
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])(
    'lets no spreadsheet run %j, unless it is asked to',
    async (alias) => {
      const key = newKey()
      await log(key, { alias })
      expect(await csv(key)).toContain(`'${alias}`)
      const kept = await csv(key, '&formulas=keep')
      expect(kept).toContain(alias)
      expect(kept).not.toContain(`'${alias}`)
    },
  )
})

describe('reading ahead', () => {
  it('gives its place back however a download ends', async () => {
    const ahead = createAhead(2)
    const begin = (place = ahead.enter()) => ({ place, page: place.begin(async () => 1) })
    const failing = ahead.enter()
    const lost = failing.begin(() => Promise.reject(new Error('lost')))
    const taken = begin()
    expect(begin().page).toBeUndefined()
    await expect(failing.take(lost ?? Promise.resolve())).rejects.toThrow('lost')
    await taken.place.take(taken.page ?? Promise.resolve(0))
    const left = [begin(), begin()]
    expect(begin().page).toBeUndefined()
    for (const { place } of left) place.leave()
    for (const { place } of left) place.leave()
    expect([begin(), begin(), begin()].map(({ page }) => page !== undefined)).toEqual([true, true, false])
  })
})
