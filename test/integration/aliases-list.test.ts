import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALIAS_LIMITS } from '../../src/features/aliases/limits.js'
import type { Answer } from '../support/call.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { type RunningService, startService } from '../support/service.js'

type Shown = { alias: string; profile: string; project_id: string; metadata: unknown }

const { metadataBytesPerProjectMax, namesBytesPerProjectMax, pageAliasesMax, pageBytesMax } = ALIAS_LIMITS
const BASE = '/api/v1/aliases'

let database: TestDatabase
let one: RunningService

beforeAll(async () => {
  database = await cloneDatabase()
  one = await startService({ LLMRING_DATABASE_URL: database.url })
})
afterAll(async () => {
  await one.close()
  await database.drop()
})

const bulk = (key: string, json: unknown) => one.call(`${BASE}/bulk_upsert`, { key, json })
const bind = (key: string, json: unknown) => one.call(`${BASE}/bind`, { key, json })
async function list(key: string, query = ''): Promise<Shown[]> {
  const { status, json } = await one.call(`${BASE}/${query}`, { key })
  expect(status).toBe(200)
  return json as Shown[]
}
const nameOf = ({ alias, profile }: Shown) => `${alias} ${profile}`
const projectOf = async (key: string) => (await list(key, '?limit=1'))[0]?.project_id ?? ''

/** Walks the pages by their links. */
async function pages(key: string, query: string): Promise<Shown[][]> {
  const found: Shown[][] = []
  for (let path: string | undefined = `${BASE}/${query}`; path !== undefined; ) {
    const answer: Answer = await one.call(path, { key })
    expect(answer.status).toBe(200)
    found.push(answer.json)
    path = /^<(\S+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  return found
}

describe('a list that is too large to be kept', () => {
  it('is streamed each time, with an ETag that ends with its next change', async () => {
    const metadata = { text: 'x'.repeat(60_000) }
    const items = Array.from({ length: 40 }, (_, index) => ({ alias: `a${index}`, model: 'x:y', metadata }))
    expect(JSON.stringify(items).length).toBeGreaterThan(ALIAS_LIMITS.keptListBytesMax)
    await bulk('large-list', items)
    const ask = (etag = '') =>
      one.call(`${BASE}/?profile=default`, { key: 'large-list', headers: { 'If-None-Match': etag } })
    const first = await ask()
    expect((first.json as unknown[]).length).toBe(40)
    const etag = first.headers.get('etag') ?? ''
    const known = await ask(etag)
    expect([known.status, known.text, known.headers.get('etag')]).toEqual([304, '', etag])
    await bind('large-list', { alias: 'a1', model: 'x:z' })
    const changed = await ask(etag)
    expect([changed.status, (changed.json as unknown[]).length]).toEqual([200, 40])
    expect(changed.headers.get('etag')).not.toBe(etag)
  })
})

describe('the list of aliases', () => {
  const names = Array.from({ length: 1_300 }, (_, index) => `n${(index * 7_919) % 1_300}`)
  const expected = names
    .flatMap((alias) => (alias.endsWith('7') ? [`${alias} default`, `${alias} prod`] : [`${alias} default`]))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

  beforeAll(async () => {
    const item = (alias: string) => ({ alias, model: 'x:y', metadata: { [alias]: ['é"\\', 1.5, null] } })
    await bulk('long', names.map(item))
    await bulk(
      'long',
      names.filter((alias) => alias.endsWith('7')).map((alias) => ({ ...item(alias), profile: 'prod' })),
    )
  })

  it('holds all of them, in order, where they are more than one page', async () => {
    expect(expected.length).toBeGreaterThan(2 * pageAliasesMax)
    const shown = await list('long')
    expect(shown.map(nameOf)).toEqual(expected)
    const { json } = await one.call(`${BASE}/n77?profile=prod`, { key: 'long' })
    expect(shown.find((alias) => nameOf(alias) === 'n77 prod')).toEqual(json)
    expect((await list('long', '?profile=prod')).map(nameOf)).toEqual(expected.filter((name) => name.endsWith('prod')))
  })

  it.each(['?limit=500', '?limit=499', '?limit=40&profile=prod', '?limit=1&profile=prod'])(
    'comes in pages that lead from one to the next: %s',
    async (query) => {
      const limit = Number(/\d+/.exec(query)?.[0])
      const found = await pages('long', query)
      const wanted = query.includes('prod') ? expected.filter((name) => name.endsWith('prod')) : expected
      expect(found.flat().map(nameOf)).toEqual(wanted)
      expect(found.map((page) => page.length)).toEqual(
        Array.from({ length: Math.ceil(wanted.length / limit) }, (_, page) =>
          Math.min(limit, wanted.length - page * limit),
        ),
      )
    },
  )

  it('goes on behind a place without a limit, too', async () => {
    const answer = await one.call(`${BASE}/?limit=100`, { key: 'long' })
    const after = /after=([\w-]+)/.exec(answer.headers.get('link') ?? '')?.[1]
    expect((await list('long', `?after=${after}`)).map(nameOf)).toEqual(expected.slice(100))
  })

  it('has pages of few aliases where they are large', async () => {
    const large = { text: 'x'.repeat(60_000) }
    const items = Array.from({ length: 50 }, (_, index) => ({ alias: `large-${index}`, model: 'x:y', metadata: large }))
    await bulk('large', items)
    const found = await pages('large', '?limit=500')
    expect(found.flat()).toHaveLength(50)
    for (const page of found) expect(JSON.stringify(page).length).toBeLessThan(pageBytesMax + 70_000)
    expect(await list('large')).toHaveLength(50)
  })

  it.each(['0', '501', '1.5', 'x'])('refuses a page of %s', async (limit) => {
    expect((await one.call(`${BASE}/?limit=${limit}`, { key: 'long' })).status).toBe(422)
  })

  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  it.each(['x', '%25%25', cursor({}), cursor(['a']), cursor(['a', 1]), cursor(['a', '\0']), cursor(['\ud800', 'b'])])(
    'refuses a cursor that it never gave: %s',
    async (after) => {
      const { status, json } = await one.call(`${BASE}/?after=${after}`, { key: 'long' })
      expect([status, json]).toMatchObject([422, { errors: [{ pointer: 'query/after' }] }])
    },
  )
})

describe('the bytes of a project’s aliases', () => {
  async function held(key: string) {
    const project = await projectOf(key)
    const [row] = await one.sql`
      select head.metadata_bytes::integer as metadata, head.names_bytes::integer as names, rows.metadata as "metadataOfRows",
        rows.names as "namesOfRows"
      from alias_heads as head, (
        select coalesce(sum(coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(constraints::text), 0)), 0)::integer as metadata,
          coalesce(sum(octet_length(profile) + octet_length(alias) + octet_length(array_to_string(models, ''))), 0)::integer as names
        from aliases where project_id = ${project}
      ) as rows where head.project_id = ${project}`
    expect([row?.['metadata'], row?.['names']]).toEqual([row?.['metadataOfRows'], row?.['namesOfRows']])
    return { metadata: Number(row?.['metadata']), names: Number(row?.['names']) }
  }
  async function fill(key: string, metadata: number, names: number): Promise<void> {
    const project = await projectOf(key)
    await one.sql`update alias_heads set metadata_bytes = ${metadata}, names_bytes = ${names} where project_id = ${project}`
  }

  it('are counted with every change', async () => {
    await bind('count', { alias: 'é', models: ['a:b', 'ç:d'], metadata: { é: 1e-7 } })
    expect(await held('count')).toEqual({ metadata: '{"é": 0.0000001}'.length + 1, names: 7 + 2 + 3 + 4 })
    await bind('count', { alias: 'é', model: 'a:b', metadata: { a: [1, 2] }, constraints: { requires: ['vision'] } })
    expect((await held('count')).metadata).toBe('{"a": [1, 2]}{"requires":["vision"]}'.length)
    await bind('count', { alias: 'é', models: ['a:b'], metadata: null })
    expect(await held('count')).toEqual({ metadata: 0, names: 7 + 2 + 3 })
    const item = { alias: 'x', model: 'a:b', metadata: { b: 'c' } }
    await bulk('count', [item, { ...item, alias: 'y' }, { ...item, metadata: {} }, { ...item, profile: 'p' }])
    expect(await held('count')).toEqual({ metadata: 2 + 10 + 10, names: 12 + 11 + 11 + 5 })
    await one.call(`${BASE}/y`, { method: 'DELETE', key: 'count' })
    await one.call(`${BASE}/nothing`, { method: 'DELETE', key: 'count' })
    expect(await held('count')).toEqual({ metadata: 2 + 10, names: 12 + 11 + 5 })
  })

  it('are limited for metadata: 413 for what would be more, and nothing of it is written', async () => {
    await bind('full', { alias: 'a', model: 'x:y', metadata: { t: 'x'.repeat(100) } })
    await fill('full', metadataBytesPerProjectMax - 40, 1_000)
    const refused = await bulk('full', [
      { alias: 'b', model: 'x:y' },
      { alias: 'c', model: 'x:y', metadata: { t: 'x'.repeat(40) } },
    ])
    expect([refused.status, refused.json]).toMatchObject([413, { code: 'project-full' }])
    expect((await list('full')).map(({ alias }) => alias)).toEqual(['a'])
    expect((await bind('full', { alias: 'b', model: 'x:y', metadata: { t: 'x'.repeat(30) } })).status).toBe(200)
  })

  it('are limited for names and models, too', async () => {
    await bind('names', { alias: 'a', model: 'x:y' })
    await fill('names', 0, namesBytesPerProjectMax - 20)
    const refused = await bind('names', { alias: 'b', models: ['x:0123456789', 'x:0123456789'] })
    expect([refused.status, refused.json]).toMatchObject([413, { code: 'project-full' }])
    expect((await bind('names', { alias: 'b', model: 'x:y' })).status).toBe(200)
  })

  it('may become less where there are too many already', async () => {
    await bind('over', { alias: 'a', model: 'x:y', metadata: { t: 'x'.repeat(100) } })
    await fill('over', metadataBytesPerProjectMax + 1_000, 1_000)
    expect((await bind('over', { alias: 'a', model: 'x:y', metadata: { t: 'x'.repeat(101) } })).status).toBe(413)
    expect((await bind('over', { alias: 'a', model: 'x:y', metadata: { t: 'x'.repeat(99) } })).status).toBe(200)
    expect((await one.call(`${BASE}/a`, { method: 'DELETE', key: 'over' })).json).toMatchObject({ deleted: true })
  })

  it('count numbers as Postgres writes them out', async () => {
    const metadata = { n: Array(300).fill(1e300) }
    const { status, json } = await bind('numbers', { alias: 'a', model: 'x:y', metadata })
    expect([status, json]).toMatchObject([422, { errors: [{ pointer: '/metadata' }] }])
    expect((await bind('numbers', { alias: 'a', model: 'x:y', metadata: { n: [1e300, 1e-300] } })).status).toBe(200)
    expect((await held('numbers')).metadata).toBeGreaterThan(600)
  })

  it('are nothing after an erasure', async () => {
    await bind('erased', { alias: 'a', model: 'x:y', metadata: { t: 1 } })
    const project = await projectOf('erased')
    await one.service.projects.verbs.erase(project as Parameters<typeof one.service.projects.verbs.erase>[0])
    expect(await one.sql`select 1 from alias_heads where project_id = ${project}`).toHaveLength(0)
  })

  it('of rows from before they were counted are counted by the migration', async () => {
    await bind('old', { alias: 'a', model: 'x:y', metadata: { t: 'ü' }, constraints: { min_context: 5 } })
    await bind('old', { alias: 'b', models: ['x:y', 'x:z'], profile: 'p' })
    const before = await held('old')
    const project = await projectOf('old')
    await one.sql`update aliases set metadata_bytes = 0, names_bytes = 0 where project_id = ${project}`
    await fill('old', 0, 0)
    const migration = await readFile(new URL('../../migrations/0003_alias_bytes.sql', import.meta.url), 'utf8')
    const updates = migration.match(/^update [\s\S]*?;$/gm) ?? []
    expect(updates).toHaveLength(2)
    for (const update of updates) await one.sql.unsafe(update)
    expect(await held('old')).toEqual(before)
  })
})
