import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createClient, type Sql } from '../../src/db/client.js'
import { REGISTRY_LIMITS } from '../../src/features/registry/limits.js'
import { runCommand } from '../support/command.js'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { type RegistryInstance, START_OF_TIME, startRegistryInstance, TTL_SECONDS } from '../support/feature-app.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'

let database: TestDatabase
let origin: RegistryOrigin
let sql: Sql
let one: RegistryInstance | undefined

beforeEach(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  sql = createClient({ url: database.url, schema: 'llmring', connectionsMax: 1, prepare: true, pooled: false })
})
afterEach(async () => {
  await one?.close()
  one = undefined
  await sql.end()
  await origin.close()
  await database.drop()
})

const start = async (options: { bundled?: boolean; atSeconds?: number } = {}) => {
  one = await startRegistryInstance({ databaseUrl: database.url, originUrl: origin.url, ...options })
  return one
}
type Models = Readonly<Record<string, object>>
const priced = (input: number, more: object = {}) => ({ dollars_per_million_tokens_input: input, ...more })
const fileOf = (version: number, models: Models) =>
  JSON.stringify({
    ...{ provider: 'google', version, updated_at: `2026-0${version}-01T00:00:00` },
    models: Object.fromEntries(Object.entries(models).map(([name, fields]) => [`google:${name}`, fields])),
  })
const archive = (version: number, models: Models) =>
  origin.put(`google/v/${version}/models.json`, fileOf(version, models))
const current = (version: number, models: Models) => origin.put('google/models.json', fileOf(version, models))
const keptVersions = async () => {
  const rows = await sql`
    select provider_version as version from registry_files where path like 'google/v/%' order by 1`
  return rows.map(({ version }) => version)
}
const backfill = (...args: string[]) =>
  runCommand(['registry', 'backfill', '--json', ...args], {
    LLMRING_DATABASE_URL: database.url,
    LLMRING_REGISTRY_BASE_URL: origin.url,
  })
const google = ({ stdout }: { stdout: string }) =>
  JSON.parse(stdout).providers.find(({ provider }: { provider: string }) => provider === 'google')

describe('GET /registry/diff', () => {
  it('shows what changed between two archived versions, for good', async () => {
    archive(3, { a: priced(1, { supports_vision: false }), b: priced(2) })
    archive(4, { a: priced(0.5), c: {} })
    current(4, { a: priced(0.5), c: {} })
    const { get } = await start()
    const { status, json, headers } = await get('/registry/diff?provider=google&from=3&to=4')
    expect([status, headers.get('cache-control')]).toEqual([200, expect.stringContaining('immutable')])
    expect(json).toEqual({
      ...{ provider: 'google', from: 3, to: 4, added: ['google:c'], removed: ['google:b'] },
      changed: {
        'google:a': { dollars_per_million_tokens_input: { old: 1, new: 0.5 }, supports_vision: { old: false } },
      },
    })
    const again = await get('/registry/diff?provider=google&from=3&to=4', {
      'If-None-Match': headers.get('etag') ?? '',
    })
    expect(again.status).toBe(304)
  })

  it('reaches to the newest version if none is named, and then not for good', async () => {
    archive(3, { a: priced(1) })
    archive(4, { a: priced(2) })
    current(4, { a: priced(2) })
    const { get } = await start()
    const { json, headers } = await get('/registry/diff?provider=google&from=3')
    expect([json.to, headers.get('cache-control')]).toEqual([4, 'public, max-age=60'])
    const backwards = (await get('/registry/diff?provider=google&from=4&to=3')).json
    expect(backwards.changed['google:a'].dollars_per_million_tokens_input).toEqual({ old: 2, new: 1 })
  })

  it.each([
    ['provider=nobody&from=1', 404, 'not-found'],
    ['provider=google&from=1&to=9999', 404, 'not-found'],
    ['provider=google&from=777', 404, 'not-found'],
    ['provider=google', 422, 'validation-failed'],
    ['provider=google&from=0', 422, 'validation-failed'],
    ['from=1', 422, 'validation-failed'],
  ])('refuses %s', async (query, status, code) => {
    const { get } = await start()
    const answer = await get(`/registry/diff?${query}`)
    expect([answer.status, answer.json.code]).toEqual([status, code])
  })

  it('says that it cannot tell while the origin is away', async () => {
    current(4, { a: priced(2) })
    const { get, registry } = await start()
    await registry()
    await origin.fail('status-500')
    const answer = await get('/registry/diff?provider=google&from=2&to=4')
    expect([answer.status, answer.json.code]).toEqual([503, 'registry-unavailable'])
  })
})

describe('GET /registry/prices/{provider}/{model}', () => {
  /** Serves these as the current file, one after the other. */
  async function live(instance: RegistryInstance, versions: readonly (readonly [number, Models])[]): Promise<void> {
    for (const [version, models] of versions) {
      current(version, models)
      instance.advance(TTL_SECONDS)
      await instance.registry()
      await eventually(async () => {
        const [row] =
          await sql`select 1 from registry_files where provider = 'google' and provider_version = ${version}`
        expect(row).toBeDefined()
      })
    }
  }
  const at = (loads: number) => new Date(START_OF_TIME + loads * TTL_SECONDS * 1000).toISOString()

  it('has each price once, newest first, with the versions and since when it was seen', async () => {
    const instance = await start()
    await instance.registry()
    await live(instance, [
      [3, { a: priced(1.5, { note: 'x' }), y: {}, z: priced(0) }],
      [4, { a: priced(1.5, { note: 'y' }) }],
      [5, { a: priced(0.75, { long_context_threshold_tokens: 200_000 }), z: priced(0) }],
    ])
    const { json, headers } = await instance.get('/registry/prices/google/a')
    expect(json).toMatchObject({ provider: 'google', model: 'google:a', newest_version: 5 })
    expect(json.prices).toEqual([
      {
        ...{ from_version: 5, to_version: 5, first_seen_at: at(3), updated_at: '2026-05-01T00:00:00.000Z' },
        ...{ unit_prices: { dollars_per_million_tokens_input: '0.75' }, long_context_threshold_tokens: 200_000 },
      },
      {
        ...{ from_version: 3, to_version: 4, first_seen_at: at(1), updated_at: '2026-03-01T00:00:00.000Z' },
        ...{ unit_prices: { dollars_per_million_tokens_input: '1.5' }, long_context_threshold_tokens: null },
      },
    ])
    expect(headers.get('cache-control')).toBe('public, max-age=60')
    // Gone in one version, and back at the same price: two stretches. Unknown is not free.
    const gone = (await instance.get('/registry/prices/google/google:z')).json.prices
    expect(gone.map(({ from_version: from, unit_prices: unit }: Record<string, unknown>) => [from, unit])).toEqual([
      [5, { dollars_per_million_tokens_input: '0' }],
      [3, { dollars_per_million_tokens_input: '0' }],
    ])
    expect((await instance.get('/registry/prices/google/y')).json.prices[0].unit_prices).toEqual({})
    const same = await instance.get('/registry/prices/google/a', { 'If-None-Match': headers.get('etag') ?? '' })
    expect(same.status).toBe(304)
  })

  it('is found by an alias of the newest version, and by the name of a model that is gone', async () => {
    const instance = await start()
    await instance.registry()
    await live(instance, [
      [3, { old: priced(1) }],
      [4, { new: priced(2, { model_aliases: ['latest'] }) }],
    ])
    expect((await instance.get('/registry/prices/google/latest')).json.model).toBe('google:new')
    expect((await instance.get('/registry/prices/google/old')).json.prices).toHaveLength(1)
    for (const path of ['google/never', 'nobody/old', 'google/latest%2F', 'openai/old']) {
      const { status, json } = await instance.get(`/registry/prices/${path}`)
      expect([path, status, json.code]).toEqual([path, 404, 'not-found'])
    }
  })

  it('shows the bundled prices, seen at no time, if nothing was ever fetched', async () => {
    await origin.fail('refused')
    const { get } = await start({ bundled: true })
    const { json } = await get('/registry/prices/openai/gpt-4o-mini')
    expect(json.prices).toEqual([expect.objectContaining({ from_version: 7, to_version: 7, first_seen_at: null })])
    expect(json.prices[0].unit_prices.dollars_per_million_tokens_input).toBe('0.15')
  })

  it('is renewed after a minute by what a backfill brought, of which the current price stays the last', async () => {
    for (const version of [1, 2, 3]) archive(version, { a: priced(version) })
    current(3, { a: priced(3) })
    const instance = await start()
    await instance.registry()
    const versions = async () =>
      (await instance.get('/registry/prices/google/a')).json.prices.map(
        (price: { from_version: number }) => price.from_version,
      )
    await eventually(async () => expect(await versions()).toEqual([3]))
    expect((await backfill()).code).toBe(0)
    expect(await versions()).toEqual([3])
    instance.advance(REGISTRY_LIMITS.priceHistoryMsMax / 1000)
    expect(await versions()).toEqual([3, 2, 1])
  })
})

describe('llmring-server registry backfill', () => {
  it('fetches each archived version once, newest first, and says what it did', async () => {
    for (const version of [1, 2, 4]) archive(version, { a: priced(version) })
    current(4, { a: priced(4) })
    origin.put('google/v/3/models.json', null)
    const first = await backfill()
    expect([first.code, google(first)]).toEqual([
      0,
      { provider: 'google', newest: 4, added: 3, known: 0, missing: 1, failure: null },
    ])
    expect(await keptVersions()).toEqual([1, 2, 4])
    const asked = origin.requests().filter((path) => path.startsWith('google/v/'))
    expect(asked).toEqual([4, 3, 2, 1].map((version) => `google/v/${version}/models.json`))
    origin.forget()
    expect(google(await backfill())).toMatchObject({ added: 0, known: 3, missing: 1 })
    expect(origin.requests().filter((path) => path.startsWith('google/v/'))).toEqual(['google/v/3/models.json'])
  })

  it('stops where the origin fails, keeps what came, and goes on there', async () => {
    for (const version of [1, 2, 3, 4, 5, 6]) archive(version, { a: priced(version) })
    current(6, { a: priced(6) })
    for (const version of [4, 3, 2]) origin.put(`google/v/${version}/models.json`, 'no JSON')
    const stopped = await backfill()
    expect([stopped.code, google(stopped)]).toEqual([
      1,
      expect.objectContaining({ added: 2, failure: 'version 2: it is not JSON' }),
    ])
    expect(await keptVersions()).toEqual([5, 6])
    for (const version of [4, 3, 2]) archive(version, { a: priced(version) })
    expect(google(await backfill())).toMatchObject({ added: 4, known: 2, failure: null })
    expect(await keptVersions()).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('takes the newest versions alone if it is asked to, and no wrong number', async () => {
    for (const version of [1, 2, 3]) archive(version, { a: priced(version) })
    current(3, { a: priced(3) })
    expect(google(await backfill('--versions', '2'))).toMatchObject({ added: 2, missing: 0 })
    expect(await keptVersions()).toEqual([2, 3])
    for (const wrong of ['0', '501', 'x', '1.5']) expect((await backfill('--versions', wrong)).code).not.toBe(0)
  })

  it('tells of an origin that does not answer', async () => {
    await origin.fail('status-500')
    const { code, stdout } = await backfill()
    expect(code).toBe(1)
    expect(JSON.parse(stdout).providers).toHaveLength(3)
    expect(google({ stdout })).toMatchObject({ newest: null, failure: 'it answered with status 500' })
  })
})
