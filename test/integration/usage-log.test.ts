import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { EVENT, NOON, newProject, openUsage, type UsageApp } from '../support/feature-app.js'

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

let database: TestDatabase
let app: UsageApp

beforeAll(async () => {
  database = await cloneDatabase()
  app = await openUsage({ url: database.url })
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

const post = (json: unknown, project = app.project) => app.call('/api/v1/log', { json, project })
const stored = async (id: string) => {
  const [row] = await app.database.sql`select * from usage_logs where id = ${id}`
  return row
}

describe('an event', () => {
  it('is answered with the original fields and ours, and is in the table with the same id, time and cost', async () => {
    const { status, json } = await post(EVENT)
    expect(status).toBe(200)
    // 1200 x 0.15 + 340 x 0.6 = 384 millionths
    expect(json).toEqual({
      log_id: expect.stringMatching(UUID_V7),
      cost: 0.000384,
      timestamp: '2026-03-15T12:00:00.000Z',
      cost_status: 'priced',
      cost_decimal: '0.000384000000',
      computed_cost: '0.000384000000',
      reported_cost: null,
    })
    expect(await stored(json.log_id)).toMatchObject({
      project_id: app.project,
      logged_at: new Date(NOON),
      provider: 'openai',
      model: 'gpt-4o-mini',
      input_tokens: '1200',
      output_tokens: '340',
      cached_input_tokens: '0',
      cost: '0.000384000000',
      computed_cost: '0.000384000000',
      reported_cost: null,
      cost_status: 'priced',
      registry_provider_version: 'openai@2',
      unit_prices: { dollars_per_million_tokens_input: '0.15', dollars_per_million_tokens_output: '0.6' },
      metadata: null,
      alias: null,
    })
  })

  it('carries the time of our clock in its id', async () => {
    const { log_id: id } = await app.log()
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(NOON)
  })

  it('keeps every optional field, and characters that mean something to SQL arrays', async () => {
    const text = `{"a",NULL,\\"b\\\\} 'c' 日本 🎉 \t\n`
    const sent = {
      ...EVENT,
      ...{ alias: text, profile: 'staging', origin: 'NULL', id_at_origin: '"', conversation_id: '\\' },
      ...{ latency_ms: 812.5, metadata: { __proto__x: 1, [text]: [text, { deep: null }] } },
      ...{ cache_read_input_tokens: 5, cache_write_5m_input_tokens: 6, cache_write_1h_input_tokens: 7 },
      ...{ reasoning_tokens: 8, input_tokens_include_cache: false, provider: 'anthropic', model: 'claude-3-opus-x' },
    }
    const { log_id: id } = await app.log(sent)
    expect(await stored(id)).toMatchObject({
      ...{ alias: text, profile: 'staging', origin: 'NULL', id_at_origin: '"', conversation_id: '\\' },
      ...{ latency_ms: 812.5, metadata: sent.metadata, input_tokens_include_cache: false },
      ...{ cache_read_input_tokens: '5', cache_write_5m_input_tokens: '6', cache_write_1h_input_tokens: '7' },
      ...{ reasoning_tokens: '8' },
    })
  })

  it('may have metadata with a member called __proto__', async () => {
    const body = JSON.stringify(EVENT).replace('{', '{"metadata":{"__proto__":{"a":1},"b":2},')
    const { json } = await app.call('/api/v1/log', { body })
    const [row] = await app.database.sql`select metadata::text as text from usage_logs where id = ${json.log_id}`
    expect(JSON.parse(row?.text)).toEqual(JSON.parse('{"__proto__":{"a":1},"b":2}'))
  })

  it('with null counts is recorded as unknown and counted as nothing', async () => {
    const counts = { input_tokens: null, output_tokens: null, cached_input_tokens: null }
    const { log_id: id, cost_decimal: cost } = await app.log(counts)
    expect(cost).toBe('0.000000000000')
    expect(await stored(id)).toMatchObject(counts)
  })

  it('takes null and empty text in optional fields for absent, and ignores fields it does not know', async () => {
    const nulls = { alias: null, profile: '', origin: null, cost: null, latency_ms: null, metadata: null }
    const { log_id: id } = await app.log({ ...nulls, reasoning_tokens: null, something_else: [1] })
    expect(await stored(id)).toMatchObject({ alias: null, profile: null, origin: null, latency_ms: null })
  })

  it('may carry its numbers as strings: what is recorded, priced and answered is the same', async () => {
    const counts = { input_tokens: '1200', output_tokens: '340', cached_input_tokens: '0', reasoning_tokens: '8' }
    const logged = await app.log({ ...counts, latency_ms: '812' })
    expect(logged).toMatchObject({ cost: 0.000384, cost_decimal: '0.000384000000', cost_status: 'priced' })
    expect(await stored(logged.log_id)).toMatchObject({ ...counts, latency_ms: 812 })
    const reported = await app.log({ cost: '0.25', latency_ms: '0.5' })
    expect(reported).toMatchObject({ cost: 0.25, reported_cost: '0.250000000000', cost_status: 'reported' })
    expect(await stored(reported.log_id)).toMatchObject({ latency_ms: 0.5 })
  })

  it('may have 255 emoji for a name, and the largest counts', async () => {
    const counts = {
      input_tokens: 1e12,
      output_tokens: 1e12,
      reasoning_tokens: 1e12,
      cache_write_5m_input_tokens: 1e12,
    }
    const { log_id: id } = await app.log({ ...counts, alias: '🎉'.repeat(255), latency_ms: 1e9 })
    expect(await stored(id)).toMatchObject({ input_tokens: '1000000000000', alias: '🎉'.repeat(255) })
  })
})

describe('a refused event', () => {
  const over = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) })
  it.each<[string, Record<string, unknown>, string]>([
    ['negative tokens', { input_tokens: -1 }, '/input_tokens'],
    ['fractional tokens', { output_tokens: 1.5 }, '/output_tokens'],
    ['huge tokens', { input_tokens: 1_000_000_000_001 }, '/input_tokens'],
    ...[
      '',
      ' 10',
      '10 ',
      '+10',
      '-1',
      '010',
      '1e3',
      '10.0',
      '0x10',
      '1_000',
      '١٠',
      '1000000000001',
      '9'.repeat(40),
    ].map((text): [string, Record<string, unknown>, string] => [
      `${JSON.stringify(text)} for tokens`,
      { input_tokens: text },
      '/input_tokens',
    ]),
    ['a wrong string for cached tokens', { cached_input_tokens: '1e1' }, '/cached_input_tokens'],
    ['more cached than input in strings', { input_tokens: '9', cached_input_tokens: '10' }, '/cached_input_tokens'],
    ['tokens as a boolean', { output_tokens: true }, '/output_tokens'],
    ['missing tokens', { input_tokens: undefined }, '/input_tokens'],
    ['no provider', { provider: undefined }, '/provider'],
    ['an empty model', { model: '' }, '/model'],
    ['a name of 256 characters', { alias: 'é'.repeat(256) }, '/alias'],
    ['a name that is a number', { origin: 5 }, '/origin'],
    ['more cached than input', { cached_input_tokens: 1201 }, '/cached_input_tokens'],
    ['cached counted twice', { cached_input_tokens: 1, cache_read_input_tokens: 1 }, '/cached_input_tokens'],
    ['more reasoning than output', { reasoning_tokens: 341 }, '/reasoning_tokens'],
    ['a negative cost', { cost: -0.000001 }, '/cost'],
    ['a cost above the limit', { cost: 1_000_000_000_000.01 }, '/cost'],
    ...['', ' 0.1', '.1', '1.', '1e3', '-1', '+1', '00.1', '0,1', 'NaN', 'Infinity', '1000000000000.01'].map(
      (text): [string, Record<string, unknown>, string] => [
        `${JSON.stringify(text)} for a cost`,
        { cost: text },
        '/cost',
      ],
    ),
    ['a negative latency', { latency_ms: -1 }, '/latency_ms'],
    ['a wrong string for a latency', { latency_ms: '1e3' }, '/latency_ms'],
    ['a latency above the limit in a string', { latency_ms: '1000000001' }, '/latency_ms'],
    ['a latency above the limit', { latency_ms: 1_000_000_001 }, '/latency_ms'],
    ['metadata that is an array', { metadata: [] }, '/metadata'],
    ['metadata that is text', { metadata: 'x' }, '/metadata'],
    ['metadata above 65,536 bytes', { metadata: over(65_537) }, '/metadata'],
  ])('with %s is 422, names the field, and writes nothing', async (_, changes, pointer) => {
    const project = newProject()
    const { status, json } = await post({ ...EVENT, ...changes }, project)
    expect([status, json.code, json.errors?.[0]?.pointer]).toEqual([422, 'validation-failed', pointer])
    expect(await app.database.sql`select 1 from usage_logs where project_id = ${project}`).toHaveLength(0)
  })

  it('that is not JSON (NaN) is 400, and one that no store can keep is 422', async () => {
    const nan = await app.call('/api/v1/log', { body: JSON.stringify(EVENT).replace('340', 'NaN') })
    expect([nan.status, nan.json.code]).toEqual([400, 'malformed-json'])
    for (const body of ['{"alias":"\\u0000"}', '{"alias":"\\ud800"}', '{"cost":1e400}', '{"metadata":{"\\u0000":1}}']) {
      const { status, json } = await app.call('/api/v1/log', {
        body: body.replace('{', `${JSON.stringify(EVENT).slice(0, -1)},`),
      })
      expect([body, status, json.code]).toEqual([body, 422, 'validation-failed'])
    }
  })

  it('is one byte over the limit of metadata: exactly 65,536 bytes are taken', async () => {
    expect(await app.log({ metadata: over(65_536) })).toHaveProperty('log_id')
  })

  it('comes from a key that may only read: 403; one that may only append is served', async () => {
    const [reader, appender] = await Promise.all(
      (['read', 'log'] as const).map((role) => app.call('/api/v1/log', { json: EVENT, role })),
    )
    expect([reader?.status, appender?.status]).toEqual([403, 200])
  })
})

describe('the cost', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, unknown]>([
    [
      'that is reported is the cost, and the computed one stands beside it',
      { cost: 0.1 },
      {
        cost: 0.1,
        cost_decimal: '0.100000000000',
        cost_status: 'reported',
        computed_cost: '0.000384000000',
        reported_cost: '0.100000000000',
      },
      'openai@2',
    ],
    [
      'that is reported as 0 is 0, not unknown',
      { cost: 0 },
      { cost: 0, cost_status: 'reported', computed_cost: '0.000384000000', reported_cost: '0.000000000000' },
      'openai@2',
    ],
    [
      'that is reported with too many places is rounded half-even to 12',
      { cost: 0.0000000000025 },
      { cost: 2e-12, cost_decimal: '0.000000000002' },
      'openai@2',
    ],
    [
      'that is reported as a string is exact, beyond what a double holds',
      { cost: '1234567890.1234567890125' },
      { cost_decimal: '1234567890.123456789012', cost_status: 'reported' },
      'openai@2',
    ],
    [
      'that is reported for an unknown model has no computed one',
      { cost: 1e12, model: 'nobody' },
      { cost: 1e12, cost_decimal: '1000000000000.000000000000', cost_status: 'reported', computed_cost: null },
      'openai@2',
    ],
    [
      'of an unknown model is 0 and says so',
      { model: 'nobody' },
      { cost: 0, cost_status: 'unknown_model', computed_cost: null },
      'openai@2',
    ],
    [
      'of an unknown provider is 0 and says so',
      { provider: 'me' },
      { cost: 0, cost_status: 'unknown_model', computed_cost: null },
      null,
    ],
    [
      'of a model without prices is 0 and says so',
      { model: 'gpt-audio-preview' },
      { cost: 0, cost_status: 'no_price', computed_cost: null },
      'openai@2',
    ],
    [
      'of a model that is free is known to be 0',
      { provider: 'google', model: 'gemma-3-27b-it' },
      { cost: 0, cost_status: 'free', computed_cost: '0.000000000000' },
      'google@2',
    ],
    [
      'of a real bill comes out to the last digit',
      {
        provider: 'anthropic',
        model: 'claude-3-7-sonnet-20250219',
        input_tokens: 3,
        cache_write_5m_input_tokens: 12_304,
        output_tokens: 550,
      },
      { cost: 0.054399, cost_decimal: '0.054399000000', cost_status: 'priced' },
      'anthropic@3',
    ],
  ])('%s', async (_, changes, answer, version) => {
    const logged = await app.log(changes)
    expect(logged).toMatchObject(answer)
    expect(await stored(logged.log_id)).toMatchObject({
      cost: logged.cost_decimal,
      reported_cost: logged.reported_cost,
      computed_cost: logged.computed_cost,
      cost_status: logged.cost_status,
      registry_provider_version: version,
      unit_prices: logged.computed_cost === null ? null : expect.any(Object),
    })
  })
})

describe('many events at once', () => {
  it('are each answered with their own row, in few statements', async () => {
    const project = newProject()
    const before = await counters()
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, index) => app.log({ input_tokens: index, alias: `a${index}` }, project)),
    )
    const rows = await app.database.sql`
      select id, alias, input_tokens::int as n, cost from usage_logs where project_id = ${project}`
    const byId = new Map(rows.map((row) => [row.id, row]))
    expect(byId.size).toBe(600)
    for (const [index, answer] of answers.entries()) {
      expect(byId.get(answer.log_id)).toMatchObject({ alias: `a${index}`, n: index, cost: answer.cost_decimal })
    }
    const after = await counters()
    expect(after.rows - before.rows).toBe(600)
    expect(after.groups - before.groups).toBeLessThan(60)
  })

  const counters = async () => {
    const { text } = await app.metrics.expose()
    const read = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
    return { rows: read('llmring_usage_group_rows_sum'), groups: read('llmring_usage_group_rows_count') }
  }
})

it('the routes are in the OpenAPI document, with the limits of their fields', () => {
  const document = app.app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 't', version: '1' } })
  expect(Object.keys(document.paths ?? {}).sort()).toEqual([
    '/api/v1/export',
    '/api/v1/log',
    '/api/v1/log/batch',
    '/api/v1/logs',
    '/api/v1/stats',
  ])
  expect(document.components?.schemas?.['LogUsage']).toMatchObject({
    required: ['provider', 'model', 'input_tokens', 'output_tokens'],
    properties: { alias: { maxLength: 255 }, metadata: { type: expect.anything() } },
  })
})
