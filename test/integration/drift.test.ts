import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { type RunningService, startService } from '../support/service.js'

let database: TestDatabase
let origin: RegistryOrigin
let one: RunningService
let key: string

type Fields = Record<string, unknown>
const price = (input: number, more: Fields = {}): Fields => ({
  ...{ dollars_per_million_tokens_input: input, max_input_tokens: 128_000 },
  ...more,
})
const file = (version: number, models: Record<string, Fields>) => {
  const entries = Object.entries(models).map(([name, fields]) => [`google:${name}`, { model_name: name, ...fields }])
  return JSON.stringify({ provider: 'google', version, models: Object.fromEntries(entries) })
}
const OLD = file(40, {
  steady: price(1),
  moved: price(0.1),
  grown: price(2),
  left: price(3),
  retired: price(4),
  cheap: price(0.05, { supports_vision: true }),
})
const NOW = file(41, {
  steady: price(1),
  moved: price(0.3, { dollars_per_million_tokens_output: 0.000001 }),
  grown: price(2, { max_input_tokens: 256_000 }),
  retired: price(4, { is_active: false }),
  cheap: price(9, { supports_vision: true }),
})

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  origin.put('google/models.json', NOW)
  origin.put('google/v/40/models.json', OLD)
  one = await startService({
    LLMRING_DATABASE_URL: database.url,
    LLMRING_REGISTRY_BASE_URL: origin.url,
    LLMRING_REGISTRY_BUNDLED: 'false',
  })
})
afterAll(async () => {
  await one.close()
  await origin.close()
  await database.drop()
})
let projects = 0
beforeEach(() => {
  projects += 1
  key = `drift-${projects}`
})

/** Binds each alias to the model of the same name, and one that nothing happened to. */
const bindAll = async (names: readonly string[], more: object[] = []) => {
  const json = [...names.map((name) => ({ alias: name, model: `google:${name}` })), ...more]
  return (await one.call('/api/v1/aliases/bulk_upsert', { key, json })).json.revision as number
}
/** As the publishing of a lockfile keeps them. */
const pin = async (versions: Fields, revision = 1, profile = 'default') => {
  const header = { version: '1.0', profiles: { [profile]: { registry_versions: versions } } }
  await one.sql`
    insert into lock_headers (project_id, revision, header)
    select project_id, ${revision}, ${JSON.stringify(header)}::json from project_keys
    where project_id = ${(await one.call('/api/v1/aliases/?limit=1', { key })).json[0].project_id} limit 1
    on conflict (project_id, revision) do update set header = excluded.header`
}
const drift = (query = '') => one.call(`/api/v1/drift${query}`, { key })

describe('drift', () => {
  it('is what the registry changed of the bound models since the pinned version, with the numbers', async () => {
    const revision = await bindAll(['steady', 'moved', 'grown', 'left', 'retired'])
    await pin({ google: 40 })
    const { status, json } = await drift()
    expect([status, json.drifted, json.revision, json.profile]).toEqual([200, true, revision, 'default'])
    expect(json.registry).toEqual({ google: { pinned: 40, current: 41 } })
    expect(json.warnings).toEqual([])
    const same = (name: string) => ({ model: `google:${name}`, constraints: null, aliases: [name], alias_count: 1 })
    expect(json.drift).toEqual([
      {
        ...{ ...same('grown'), kind: 'limits_changed', resolved: 'google:grown' },
        changes: [{ field: 'max_input_tokens', pinned: 128_000, current: 256_000 }],
      },
      { ...same('left'), kind: 'gone', resolved: 'google:left', changes: [] },
      {
        ...{ ...same('moved'), kind: 'price_changed', resolved: 'google:moved' },
        changes: [
          { field: 'dollars_per_million_tokens_input', pinned: '0.1', current: '0.3' },
          { field: 'dollars_per_million_tokens_output', pinned: null, current: '0.000001' },
        ],
      },
      { ...same('retired'), kind: 'inactive', resolved: 'google:retired', changes: [] },
    ])
  })

  it('without a pin is what is gone or inactive', async () => {
    await bindAll(['steady', 'moved', 'grown', 'left', 'retired'])
    const { json } = await drift()
    expect(json.registry).toEqual({ google: { pinned: null, current: 41 } })
    expect(json.drift.map(({ model, kind }: Fields) => [model, kind])).toEqual([
      ['google:left', 'gone'],
      ['google:retired', 'inactive'],
    ])
  })

  it('is none where nothing changed, and of a profile without aliases', async () => {
    await bindAll(['steady'])
    await pin({ google: 40 })
    expect((await drift()).json).toMatchObject({ drifted: false, drift: [], warnings: [] })
    expect((await drift('?profile=empty')).json).toMatchObject({ profile: 'empty', drifted: false, registry: {} })
  })

  it('is of one project, one profile, and the newest pins', async () => {
    await bindAll(['moved'], [{ alias: 'left', model: 'google:left', profile: 'staging' }])
    await pin({ google: 40 })
    expect((await drift()).json.drift).toHaveLength(1)
    const staging = (await drift('?profile=staging')).json
    expect(staging.drift).toMatchObject([{ model: 'google:left', kind: 'gone' }])
    expect(staging.registry).toEqual({ google: { pinned: null, current: 41 } })
    await bindAll(['steady'])
    await pin({ google: 41 }, 2)
    expect((await drift()).json).toMatchObject({ drifted: false, registry: { google: { pinned: 41, current: 41 } } })
    expect((await one.call('/api/v1/drift', { key: `${key}-stranger` })).json.drift).toEqual([])
  })

  it('names every model once, with its aliases', async () => {
    const many = Array.from({ length: 30 }, (_, n) => ({
      alias: `a${String(n).padStart(2, '0')}`,
      model: 'google:left',
    }))
    await bindAll([], many)
    const [only, ...others] = (await drift()).json.drift
    expect(others).toEqual([])
    expect(only).toMatchObject({ model: 'google:left', alias_count: 30, aliases: { length: 20 } })
    expect(only.aliases.slice(0, 2)).toEqual(['a00', 'a01'])
  })

  it('follows what a wildcard means', async () => {
    const vision = { requires: ['vision'] }
    await bindAll(
      [],
      [
        { alias: 'a', models: ['google:*'] },
        { alias: 'b', models: ['google:*'], constraints: vision },
        { alias: 'c', models: ['google:*'], constraints: { max_cost: 0 } },
      ],
    )
    await pin({ google: 40 })
    const { json } = await drift()
    const seen = json.drift.map(({ constraints, kind, resolved, aliases }: Fields) => [
      aliases,
      constraints,
      kind,
      resolved,
    ])
    expect(seen).toEqual(
      expect.arrayContaining([
        [['a'], null, 'resolves_differently', 'google:moved'],
        [['b'], vision, 'price_changed', 'google:cheap'],
        [['c'], { max_cost: 0 }, 'unsatisfied', null],
      ]),
    )
    const moved = json.drift.find(({ kind }: Fields) => kind === 'resolves_differently')
    expect(moved.changes).toEqual([{ field: 'model', pinned: 'google:cheap', current: 'google:moved' }])
  })

  it('says what it cannot compare', async () => {
    await bindAll(
      ['moved'],
      [
        { alias: 'x', models: ['ollama:llama3:8b', 'gpt-4'] },
        { alias: 'y', model: 'openai:gpt-4o-mini' },
      ],
    )
    await pin({ google: 4_000, openai: 'seven', ollama: 3 })
    const { json } = await drift()
    expect(json.drift).toEqual([])
    expect(json.registry).toEqual({ google: { pinned: null, current: 41 }, openai: { pinned: null, current: 2 } })
    expect(json.warnings).toEqual([
      'The registry has no version 4000 of google: prices and limits are not compared.',
      'The registry has no version "seven" of openai: prices and limits are not compared.',
      "The registry has no models of 'gpt-4', 'ollama': nothing is known of their drift.",
    ])
  })
})

describe('a registry that cannot say', () => {
  it('is no answer without drift: an archived version that cannot be fetched, a provider that was never loaded', async () => {
    await bindAll(['moved'])
    await pin({ google: 39 })
    await origin.fail('status-500', 'google/v/39')
    expect((await drift()).json).toMatchObject({ status: 503, code: 'registry-unavailable' })
    await origin.fail(null)

    const other = await cloneDatabase()
    await origin.fail('status-500', 'google/')
    const two = await startService({
      LLMRING_DATABASE_URL: other.url,
      LLMRING_REGISTRY_BASE_URL: origin.url,
      LLMRING_REGISTRY_BUNDLED: 'false',
      LLMRING_CACHE_TTL: '1',
    })
    try {
      const json = { alias: 'a', model: 'google:moved' }
      await two.call('/api/v1/aliases/bind', { key, json })
      const answer = await two.call('/api/v1/drift', { key })
      expect([answer.status, answer.json.code]).toEqual([503, 'registry-unavailable'])
      expect(answer.headers.get('retry-after')).toBe('5')
      await origin.fail(null)
      await eventually(async () => expect((await two.call('/api/v1/drift', { key })).json.drifted).toBe(false))
    } finally {
      await origin.fail(null)
      await two.close()
      await other.drop()
    }
  })
})
