import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cloneDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { REGISTRY_FIXTURES, type RegistryOrigin, startRegistryOrigin } from '../support/registry-origin.js'
import { type RunningService, startService, WAY_HEADER } from '../support/service.js'

let database: TestDatabase
let origin: RegistryOrigin
let one: RunningService
let key: string

beforeAll(async () => {
  database = await cloneDatabase()
  origin = await startRegistryOrigin(REGISTRY_FIXTURES)
  one = await startService({
    LLMRING_DATABASE_URL: database.url,
    LLMRING_REGISTRY_BASE_URL: origin.url,
    LLMRING_REGISTRY_BUNDLED: 'false',
    LLMRING_CACHE_TTL: '1',
  })
  await one.call('/registry')
})
afterAll(async () => {
  await one.close()
  await origin.close()
  await database.drop()
})
let projects = 0
beforeEach(() => {
  projects += 1
  key = `wildcards-${projects}`
})

const bind = (json: object) => one.call('/api/v1/aliases/bind', { key, json })
const resolve = async (alias = 'a', ordinary = false) => {
  const headers = ordinary ? { [WAY_HEADER]: 'ordinary' } : {}
  return (await one.call(`/api/v1/aliases/resolve?alias=${alias}`, { key, headers })).json
}

/** What the registry serves of Google from here on. */
const serve = (version: number, prices: Record<string, number>) => {
  const models = Object.entries(prices).map(([name, price]) => [
    `google:${name}`,
    { model_name: name, dollars_per_million_tokens_input: price, max_input_tokens: 9_000_000 },
  ])
  origin.put('google/models.json', JSON.stringify({ provider: 'google', version, models: Object.fromEntries(models) }))
}

describe('an alias that is bound to a wildcard', () => {
  it('is answered as a model that old clients can call, and shown as it was bound', async () => {
    const { json } = await bind({ alias: 'a', model: 'openai:*', constraints: { min_context: 1_000 } })
    expect(json).toMatchObject({ model: 'openai:*', models: ['openai:*'], constraints: { min_context: 1_000 } })
    const answer = await resolve()
    expect(answer.model).toMatch(/^openai:[^*]+$/)
    expect(answer).toEqual({ alias: 'a', model: answer.model, models: [answer.model], profile: 'default', revision: 1 })
    expect((await one.call('/api/v1/aliases/a', { key })).json).toMatchObject({ model: 'openai:*' })
  })

  it('keeps the order of its models, each once', async () => {
    await bind({ alias: 'cheap', model: 'openai:*' })
    const cheapest = (await resolve('cheap')).model
    await bind({ alias: 'a', models: ['anthropic:mine', 'openai:*', 'bare', cheapest] })
    expect(await resolve()).toMatchObject({ model: 'anthropic:mine', models: ['anthropic:mine', cheapest, 'bare'] })
  })

  it('is answered with its fallback, or null, and the reason, where no model satisfies it', async () => {
    const constraints = { min_context: 1e12 }
    await bind({ alias: 'a', models: ['openai:*', 'openai:gpt-4o'], constraints })
    const warnings = [expect.stringMatching(/^'openai:\*' stands for no model now: none of the \d+ active/)]
    expect(await resolve()).toMatchObject({ model: 'openai:gpt-4o', models: ['openai:gpt-4o'], warnings })
    await bind({ alias: 'b', model: 'openai:*', constraints })
    expect(await resolve('b')).toMatchObject({ model: null, models: [], warnings })
    await bind({ alias: 'c', model: 'elsewhere:*' })
    const unknown = ["'elsewhere:*' stands for no model now: the registry has no models of 'elsewhere'."]
    expect(await resolve('c')).toMatchObject({ model: null, warnings: unknown })
  })

  it('keeps a model that is bound by name, whatever its constraints say', async () => {
    await bind({ alias: 'a', model: 'openai:gpt-4o', constraints: { max_cost: 0 } })
    expect(await resolve()).toMatchObject({ model: 'openai:gpt-4o', models: ['openai:gpt-4o'] })
  })

  it('follows the registry both ways without a new revision, and comes into being with it', async () => {
    await bind({ alias: 'a', model: 'google:*', constraints: { max_cost: 1 } })
    await bind({ alias: 'late', model: 'google:*', constraints: { max_cost: 0, min_context: 9e6 } })
    expect((await resolve('late')).model).toBeNull()
    const { revision } = await resolve()
    serve(91, { dear: 0.9, cheap: 0.5 })
    await eventually(async () => expect((await resolve()).model).toBe('google:cheap'))
    const before = one.laneAnswers()
    serve(92, { dear: 0.9, cheap: 0.95, free: 0 })
    await eventually(async () => expect((await resolve()).model).toBe('google:free'))
    expect(one.laneAnswers()).toBeGreaterThan(before)
    expect(await resolve('a', true)).toEqual(await resolve())
    expect(await resolve('late')).toEqual({
      ...{ alias: 'late', model: 'google:free', models: ['google:free'], profile: 'default', revision },
    })
  })
})

describe('a wildcard while the origin says nothing', () => {
  it('stands for a bundled model at once, and for the origin’s as soon as that is there', async () => {
    const [other, silent] = [await cloneDatabase(), await startRegistryOrigin(REGISTRY_FIXTURES)]
    const release = silent.hold()
    const two = await startService({ LLMRING_DATABASE_URL: other.url, LLMRING_REGISTRY_BASE_URL: silent.url })
    try {
      const constraints = { max_cost: 0, min_context: 100_000 }
      const bound = await two.call('/api/v1/aliases/bind', { json: { alias: 'a', model: 'google:*', constraints } })
      expect(bound.json.warnings).toEqual([expect.stringContaining('none of the 24 active chat models of google')])
      const model = async () => (await two.call('/api/v1/aliases/resolve?alias=a')).json.model
      expect(await model()).toBeNull()
      release()
      await eventually(async () => expect(await model()).toBe('google:gemma-3-27b-it'))
    } finally {
      release()
      await two.close()
      await silent.close()
      await other.drop()
    }
  })
})

describe('constraints', () => {
  const show = async () => (await one.call('/api/v1/aliases/a', { key })).json

  it.each([
    {},
    { region: 'eu', min_context: null },
    { min_context: 'many', max_cost: '10', requires: 'vision', deep: [{ a: [null] }] },
    { max_cost: -1.5, requires: [1] },
  ])('%j are kept as they came', async (constraints) => {
    const bound = await bind({ alias: 'a', model: 'openai:gpt-4o', constraints })
    expect([bound.status, bound.json.constraints]).toEqual([200, constraints])
    expect((await show()).constraints).toEqual(constraints)
  })

  it('that are not understood are told in every answer that shows them', async () => {
    const constraints = { region: 'eu', max_cost: 'low' }
    const warnings = [
      "constraints: 'region' is unknown here; it is kept and ignored.",
      'constraints: max_cost must be a number of USD per million input tokens, 0 or more; it is ignored.',
    ]
    expect((await bind({ alias: 'a', models: ['openai:gpt-4o'], constraints })).json.warnings).toEqual(warnings)
    const put = await one.call('/api/v1/aliases/a', { method: 'PUT', key, json: { model: 'gpt-4', constraints } })
    const bare = "'gpt-4' names no provider; write it as provider:model, like openai:gpt-4o-mini."
    expect(put.json.warnings).toEqual([bare, ...warnings])
    expect((await show()).warnings).toEqual([bare, ...warnings])
    expect((await one.call('/api/v1/aliases/', { key })).json[0].warnings).toEqual([bare, ...warnings])
  })

  it('are the same in another order: nothing changes, and no revision is taken', async () => {
    const binding = { alias: 'a', models: ['openai:gpt-4o'] }
    await bind({ ...binding, constraints: { min_context: 5, max_cost: 1.5, é: [{ b: 1, a: 2 }] } })
    const again = await bind({ ...binding, constraints: { é: [{ a: 2, b: 1 }], max_cost: 1.5, min_context: 5 } })
    expect(again.json.revision).toBe(1)
    const [row] =
      await one.sql`select constraints::text as text from aliases where project_id = ${again.json.project_id}`
    expect(row?.['text']).toBe('{"max_cost":1.5,"min_context":5,"\\u00e9":[{"a":2,"b":1}]}')
    expect((await bind({ ...binding, constraints: { max_cost: 1.5 } })).json.revision).toBe(2)
  })

  it('are an object of at most 8 KiB', async () => {
    const status = async (constraints: unknown) =>
      (await bind({ alias: 'a', model: 'openai:gpt-4o', constraints })).status
    expect(await status({ note: 'x'.repeat(8_192 - '{"note":""}'.length) })).toBe(200)
    expect(await status({ note: 'x'.repeat(8_193 - '{"note":""}'.length) })).toBe(422)
    expect(await status([])).toBe(422)
    expect(await status('min_context')).toBe(422)
  })

  it('that no model satisfies are bound, with a warning where they are bound', async () => {
    const constraints = { min_context: 1e12 }
    const bound = await bind({ alias: 'a', model: 'openai:*', constraints })
    const warnings = [expect.stringMatching(/^'openai:\*' stands for no model now/)]
    expect([bound.status, bound.json.warnings]).toEqual([200, warnings])
    expect(await show()).not.toHaveProperty('warnings')
  })

  it('of many bindings warn with the alias in front, twenty times at most', async () => {
    const many = (json: object[]) => one.call('/api/v1/aliases/bulk_upsert', { key, json })
    const constraints = { max_cost: 0, min_context: 1e12 }
    const some = await many([
      { alias: 'fine', models: ['openai:*', 'openai:gpt-4o'] },
      { alias: 'odd', models: ['gpt-4'], constraints: { region: 'eu' } },
      { alias: 'none', models: ['anthropic:*'], constraints },
    ])
    expect(some.json).toEqual({
      updated: 3,
      revision: 1,
      warnings: [
        "odd: 'gpt-4' names no provider; write it as provider:model, like openai:gpt-4o-mini.",
        "odd: constraints: 'region' is unknown here; it is kept and ignored.",
        expect.stringMatching(/^none: 'anthropic:\*' stands for no model now: none of the \d+ active chat models/),
      ],
    })
    const names = Array.from({ length: 40 }, (_, n) => ({ alias: `a${n}`, models: ['anthropic:*'], constraints }))
    expect((await many(names)).json.warnings).toHaveLength(20)
    expect((await many([{ alias: 'plain', model: 'openai:gpt-4o' }])).json).toEqual({ updated: 1, revision: 3 })
  })
})
