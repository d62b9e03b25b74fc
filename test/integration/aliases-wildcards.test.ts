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
