import { afterEach, describe, expect, test } from 'vitest'
import { collectOffers } from '../../src/cli/router/catalog/collect-offers.js'
import { readConfig } from '../../src/config/config.js'
import { backendsFor } from '../../src/core/routing/index.js'
import { buildCatalog, type Offer } from '../../src/features/gateway/catalog/build-catalog.js'
import { type Catalog, readCatalog } from '../../src/features/gateway/catalog/catalog.js'
import { readListedModels, readRegistryModels } from '../../src/features/gateway/catalog/read-offers.js'
import { catalogConfig } from '../../src/features/gateway/config/catalog-config.js'
import { findModel } from '../../src/features/gateway/list-models.js'
import { answerJson, type Behaviour, type LocalUpstream, startUpstream } from '../support/local-upstream.js'

const offer = (provider: string, model: string, cost: number | null = null): Offer => ({
  ...{ provider, model, costPerThousandIn: cost, costPerThousandOut: cost, maxTokens: null },
})
const OFFERS = [
  offer('groq', 'openai/gpt-oss-20b'),
  offer('openrouter', 'openai/gpt-oss-20b', 0.1),
  offer('openrouter', 'openai/gpt-oss-20b:free', 0),
  offer('openrouter', 'google/gemma-3:free'),
  offer('openrouter', 'x/dear', 2),
]
/** As others publish it: with addresses, names of variables and headers, which are theirs to propose and ours to refuse. */
const PUBLISHED = {
  providers: ['groq', 'openrouter'],
  models: [
    {
      canonical: 'gpt-oss-20b',
      aliases: ['gpt-oss-20b', 'openai/gpt-oss-20b'],
      providers: {
        groq: {
          ...{ model: 'openai/gpt-oss-20b', api_key_env: 'LLMRING_DATABASE_URL', base_url: 'https://thief.example/v1' },
          ...{ extra_headers: { 'X-Steal': '$LLMRING_DATABASE_URL' }, allow_paid: false, priority_offset: 0 },
          ...{ circuit_breaker: { failure_threshold: 3, recovery_time_seconds: 15 }, mock_failure_rate: 0 },
        },
        openrouter: { model: 'openai/gpt-oss-20b:free', api_key_env: 'PROVIDER_KEY_OPENROUTER', base_url: null },
      },
    },
  ],
  provider_catalogs: { groq: ['openai/gpt-oss-20b'] },
}
const SECRETS: Record<string, string> = {
  ...{ GROQ_API_KEY: 'gsk-right', OPENROUTER_API_KEY: 'or-right', LLMRING_DATABASE_URL: 'postgres://planted' },
}
const variable = (name: string) => SECRETS[name]
const published = (): Catalog => {
  const read = readCatalog(JSON.stringify(PUBLISHED))
  if (!read.ok) throw new Error(read.reason)
  return read.catalog
}

describe('a catalogue of what providers offer', () => {
  test('has what is free or says so by its name, and nothing whose price is not known', () => {
    const { models, provider_catalogs: all } = buildCatalog(['groq', 'openrouter'], OFFERS, false)
    expect(models.map(({ canonical, providers }) => [canonical, Object.keys(providers)])).toEqual([
      ['gemma-3', ['openrouter']],
      ['gpt-oss-20b', ['openrouter']],
    ])
    expect(models[1]?.providers['openrouter']).toEqual({
      ...{ model: 'openai/gpt-oss-20b:free', cost_per_1k_in: 0, cost_per_1k_out: 0, max_tokens: null },
    })
    expect(all['groq']).toEqual(['openai/gpt-oss-20b'])
    expect(all['openrouter']).toHaveLength(4)
  })

  test('has one model of what several offer by one name, and of two offers of one the free one', () => {
    for (const offers of [OFFERS, OFFERS.toReversed()]) {
      const { models } = buildCatalog(['groq', 'openrouter'], offers, true)
      expect(models.map(({ canonical }) => canonical)).toEqual(['dear', 'gemma-3', 'gpt-oss-20b'])
      const found = models.find(({ canonical }) => canonical === 'gpt-oss-20b')
      expect(found?.providers['openrouter']?.model).toBe('openai/gpt-oss-20b:free')
      expect(found?.providers['groq']).toMatchObject({ model: 'openai/gpt-oss-20b', cost_per_1k_in: null })
      expect(found?.aliases).toEqual(['gpt-oss-20b', 'openai/gpt-oss-20b'])
    }
  })

  test('is read again as it was made', () => {
    const made = buildCatalog(['openrouter'], OFFERS, true)
    expect(readCatalog(JSON.stringify(made))).toEqual({ ok: true, catalog: made })
  })
})

describe('a catalogue from elsewhere', () => {
  test.each([
    ['<html>', 'is no JSON'],
    ['[]', 'is no catalogue (the whole: '],
    ['{"models":{}}', 'is no catalogue (models: '],
    ['{"models":[{"canonical":"a b","providers":{}}]}', 'must be of visible ASCII characters'],
    [
      '{"models":[{"canonical":"a","providers":{"groq":{"model":"a","cost_per_1k_in":-1}}}]}',
      'models.0.providers.groq',
    ],
  ])('that is %s is refused by its place', (text, reason) => {
    expect(readCatalog(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) })
  })

  test('chooses models, and never an address, a header or the variable of a key', () => {
    const read = catalogConfig(published(), { providers: ['openrouter', 'groq'], areNamed: true }, variable)
    if (!read.ok) throw new Error(read.faults.join())
    const [openrouter, groq] = read.config.providers
    expect([openrouter?.baseUrl, openrouter?.credential()]).toEqual(['https://openrouter.ai/api/v1', 'or-right'])
    expect([groq?.baseUrl, groq?.credential()]).toEqual(['https://api.groq.com/openai/v1', 'gsk-right'])
    expect(groq?.headers).toEqual({})
    expect(JSON.stringify(read.config)).not.toContain('planted')
    expect(JSON.stringify(read.config)).not.toContain('thief')
    expect([openrouter?.backends[0]?.priority, groq?.backends[0]?.priority]).toEqual([1, 2])
  })

  test('has its models found by every name that it has for them', () => {
    const read = catalogConfig(published(), { providers: ['groq', 'openrouter'], areNamed: true }, variable)
    if (!read.ok) throw new Error(read.faults.join())
    const backends = read.config.providers.flatMap((provider) => provider.backends)
    for (const name of ['gpt-oss-20b', 'openai/gpt-oss-20b']) {
      const found = backendsFor(name, undefined, backends)
      expect(found.ok && found.placed.map(({ backend }) => backend.provider)).toEqual(['groq', 'openrouter'])
      expect(findModel(name, false, backends)?.id).toBe(name)
    }
    expect(backendsFor('gpt-oss', undefined, backends)).toEqual({ ok: false, reason: 'unknown-model' })
  })

  test('needs a key of every provider that was named, and of one if none was', () => {
    const few = (name: string) => (name === 'GROQ_API_KEY' ? 'gsk' : undefined)
    const faults = ['openrouter: the variable OPENROUTER_API_KEY is not set']
    const wanted = { providers: ['groq', 'openrouter'], areNamed: true }
    expect(catalogConfig(published(), wanted, few)).toEqual({ ok: false, faults })
    const read = catalogConfig(published(), { ...wanted, areNamed: false }, few)
    expect(read.ok && read.config.providers.map(({ name }) => name)).toEqual(['groq'])
    const none = catalogConfig(published(), { ...wanted, areNamed: false }, () => undefined)
    expect(none).toEqual({ ok: false, faults: ['groq: the variable GROQ_API_KEY is not set', ...faults] })
  })

  test('says of a provider that it has no model of it, or that it is not known', () => {
    const wanted = { providers: ['ollama', 'constructor', 'nope'], areNamed: false }
    expect(catalogConfig(published(), wanted, variable)).toEqual({
      ok: false,
      faults: [
        'ollama: the catalogue has no model of it',
        'constructor: no such provider is known',
        'nope: no such provider is known',
      ],
    })
  })
})

describe('a list of models', () => {
  test('is read with the prices that it tells', () => {
    const list = {
      data: [
        { id: 'a', context_length: 8192, pricing: { prompt: '0.00000015', completion: '0.0000006' } },
        { id: 'b:free', pricing: { prompt: '0', completion: '0' } },
        { id: 'auto', pricing: { prompt: '-1', completion: '-1' } },
        { id: 'plain' },
        { id: 'a b' },
        { name: 'without an id' },
        null,
      ],
    }
    expect(readListedModels('openrouter', list)).toEqual([
      {
        ...{ provider: 'openrouter', model: 'a', maxTokens: 8192 },
        ...{ costPerThousandIn: 0.00015, costPerThousandOut: 0.0006 },
      },
      offer('openrouter', 'b:free', 0),
      offer('openrouter', 'auto'),
      offer('openrouter', 'plain'),
    ])
    expect(readListedModels('other', { models: [{ id: 'plain' }] })).toEqual([offer('other', 'plain')])
    for (const wrong of [[], {}, 'text', null])
      expect(() => readListedModels('other', wrong)).toThrow('no list of models')
  })

  test('comes from the registry, too: the active ones that chat', () => {
    const model = (name: string, more: object = {}) => ({
      ...{ provider: 'openai', model_name: name, is_active: true, max_input_tokens: 1000 },
      ...{ dollars_per_million_tokens_input: 0.15, dollars_per_million_tokens_output: 0.6, ...more },
    })
    const models = {
      'openai:new': model('new'),
      'openai:old': model('old', { is_active: false }),
      'openai:vectors': model('vectors', { api_endpoint: 'embeddings' }),
    }
    expect(readRegistryModels('openai', { provider: 'openai', version: 1, models })).toEqual([
      {
        ...{ provider: 'openai', model: 'new', maxTokens: 1000 },
        ...{ costPerThousandIn: 0.00015, costPerThousandOut: 0.0006 },
      },
    ])
    expect(() => readRegistryModels('openai', undefined)).toThrow("the registry's file")
  })
})

describe('asking a provider for its models', () => {
  const open: LocalUpstream[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })
  const start = async (behaviour: Behaviour) => {
    const upstream = await startUpstream(behaviour)
    open.push(upstream)
    return upstream
  }
  const collect = (url: string, key = 'gsk-right') => {
    const read = readConfig('/', { TEST_KEY: key })
    if (!read.ok) throw new Error(read.faults.join())
    return collectOffers(read.config, ['groq'], false, () => ({ baseUrl: `${url}/v1`, apiKeyEnv: 'TEST_KEY' }))
  }

  test('sends its key', async () => {
    const upstream = await start((outgoing) => answerJson(outgoing, { data: [{ id: 'm' }] }))
    expect(await collect(upstream.url)).toEqual([offer('groq', 'm')])
    expect(upstream.arrived[0]).toMatchObject({ path: '/v1/models', headers: { authorization: 'Bearer gsk-right' } })
  })

  test('sends no key to where it is sent on', async () => {
    const other = await start((outgoing) => answerJson(outgoing, { data: [] }))
    const upstream = await start((outgoing) => void outgoing.writeHead(302, { location: `${other.url}/list` }).end())
    expect(await collect(upstream.url)).toEqual([])
    expect(other.arrived).toHaveLength(1)
    expect(other.arrived[0]?.headers.authorization).toBeUndefined()
  })

  test.each<[string, Behaviour]>([
    ['groq: it answered with status 401.', (outgoing) => answerJson(outgoing, { error: 'gsk-right' }, 401)],
    ['groq: it has no list of models.', (outgoing) => answerJson(outgoing, {}, 404)],
    ['groq: it answered with no JSON.', (outgoing) => void outgoing.end('<html>')],
    ['groq: it answered with no list of models.', (outgoing) => answerJson(outgoing, { ok: true })],
    ['groq: it could not be reached or broke off', (outgoing) => outgoing.destroy()],
  ])('fails as a whole, without its words: %s', async (message, behaviour) => {
    const upstream = await start(behaviour)
    await expect(collect(upstream.url)).rejects.toThrow(message)
  })

  test('needs its key', async () => {
    await expect(collect('http://127.0.0.1:9', '')).rejects.toThrow('groq: the variable TEST_KEY is not set')
    await expect(collect('http://127.0.0.1:9', 'two words')).rejects.toThrow('groq: the variable TEST_KEY holds no key')
  })
})
