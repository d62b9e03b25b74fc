import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readGatewayConfig } from '../../src/features/gateway/config/read-config.js'

const VARIABLES: Record<string, string> = { KEY: 'sk-planted', HOST: 'models.example', EMPTY: '' }
const read = (text: string) => readGatewayConfig(text, (name) => VARIABLES[name])
const faultsOf = (text: string): readonly string[] => {
  const result = read(text)
  return result.ok ? [] : result.faults
}
const configOf = (text: string) => {
  const result = read(text)
  if (!result.ok) throw new Error(result.faults.join('\n'))
  return result.config
}

describe('a configuration', () => {
  test('has a default for whatever it does not say', () => {
    const config = configOf('providers: [{ name: echo, type: echo, model: parrot }]')
    expect(config).toMatchObject({
      accounting: 'queued',
      policy: { strategy: 'priority', weights: { cost: 0.6, latency: 0.4 } },
      classifier: { tier1_max: 30, tier2_max: 70 },
      cache: { enabled: true, backend: 'memory', max_size: 1000, ttl_seconds: 300, similarity_threshold: 0.85 },
      learned: { threshold: 0.5, sidecar_url: null, sidecar_weight: 0.7 },
      server: { timeout_seconds: 600, body_bytes_max: 33_554_432 },
    })
    expect(config.providers[0]?.backends).toMatchObject([{ provider: 'echo', model: 'parrot', tier: 2, priority: 1 }])
    expect(config.providers[0]?.breaker).toMatchObject({ failure_threshold: 3, half_open_max: 1 })
  })

  test('takes variables in texts, and $$ for a dollar', () => {
    const text = 'providers: [{ name: a, base_url: "https://$HOST/v1", api_key: "$'.concat(
      '{KEY}", extra_headers: { X-Price: "$$5" }, model: m }]',
    )
    const [provider] = configOf(text).providers
    expect(provider).toMatchObject({ baseUrl: 'https://models.example/v1', headers: { 'X-Price': '$5' } })
    expect(provider?.credential()).toBe('sk-planted')
  })

  test('never shows a credential when it is printed', () => {
    const config = configOf('providers: [{ name: a, base_url: "https://a.example", api_key_env: KEY, model: m }]')
    expect(config.providers[0]?.credential()).toBe('sk-planted')
    expect(inspect(config, { depth: 10 }) + JSON.stringify(config)).not.toContain('sk-planted')
  })

  test('knows where the well-known services answer, and what they are sent', () => {
    const text = 'providers: [{ name: router, type: openrouter, api_key_env: KEY, models: [{ model: m }] }]'
    const [provider] = configOf(text).providers
    expect(provider).toMatchObject({ wire: 'openai', baseUrl: 'https://openrouter.ai/api/v1' })
    expect(Object.keys(provider?.headers ?? {})).toEqual(['HTTP-Referer', 'X-Title'])
  })

  test('may be written flat', () => {
    const config = configOf(`
models:
  - { name: fast, provider: groq, model: llama, api_key: $KEY, cost_per_1k_in: 0, cost_per_1k_out: 0.1, tier: 1 }
  - { name: local, provider: ollama, model: qwen, base_url: "http://127.0.0.1:11434/v1", max_tokens: 4096 }
cache: { ttl_sec: 60, similarity_thresh: 0.9 }
server: { read_timeout_sec: 30, write_timeout_sec: 45 }`)
    expect(config.providers.map(({ name, type }) => [name, type])).toEqual([
      ['fast', 'groq'],
      ['local', 'ollama'],
    ])
    expect(config.providers[0]?.models.get('llama')).toMatchObject({ costPerThousandIn: 0, costPerThousandOut: 0.1 })
    expect(config.cache).toMatchObject({ ttl_seconds: 60, similarity_threshold: 0.9 })
    expect(config.server.timeout_seconds).toBe(45)
  })
})

describe('a configuration that is wrong', () => {
  test('says all that is wrong at once, and repeats no value', () => {
    const faults = faultsOf(`
providers:
  - { name: "a b", type: martian, api_key: sk-secret-value, priority: -1, models: [{ model: m, tier: 4 }] }
  - { name: b, base_url: "ftp://sk-secret-value", model: m, unheard_of: 1 }
policy: { strategy: guess }
cache: { ttl_seconds: $MISSING }`)
    const text = faults.join('\n')
    for (const place of [
      'providers[0].name',
      'providers[0].type',
      'providers[0].priority',
      'providers[0].models[0].tier',
      'providers[1].base_url',
      'providers[1]: knows no unheard_of',
      'policy.strategy',
      'cache.ttl_seconds: the variable MISSING is not set',
    ]) {
      expect(text).toContain(place)
    }
    expect(text).not.toContain('sk-secret-value')
  })

  test.each([
    ['a name that occurs twice', 'providers: [{ name: a, type: echo, model: m }, { name: a, type: echo, model: n }]'],
    ['a model that occurs twice', 'providers: [{ name: a, type: echo, model: m, models: [{ model: m }] }]'],
    ['a provider without models', 'providers: [{ name: a, type: echo }]'],
    ['a key that is not there', 'providers: [{ name: a, type: openai, api_key_env: EMPTY, model: m }]'],
    ['a model that no header can name', 'providers: [{ name: a, type: echo, model: "m☃" }]'],
    ['no providers', 'providers: []'],
    ['a text that is not YAML', 'providers: [{ name: a'],
    ['the same member twice', 'providers: []\nproviders: []'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(faultsOf(text).length).toBeGreaterThan(0)
  })

  test('refuses what grows when it is read', () => {
    const bomb = ['a: &a [x, x]', 'b: &b [*a, *a]', 'c: &c [*b, *b]', 'providers: *c'].join('\n')
    expect(faultsOf(bomb)).toEqual([expect.stringContaining('alias')])
    expect(faultsOf(`providers: ${'['.repeat(300_000)}`)).toEqual([expect.stringContaining('larger than')])
  })

  test('refuses deep nesting without falling over', () => {
    expect(faultsOf(`providers: ${'['.repeat(100_000)}`).length).toBeGreaterThan(0)
  })
})
