import { describe, expect, test } from 'vitest'
import { indexModels } from '../../src/core/pricing/index.js'
import { readGatewayConfig } from '../../src/features/gateway/config/read-config.js'
import { traitsOf, withoutRefused } from '../../src/features/gateway/serve/model-traits.js'

const read = readGatewayConfig(
  `providers:
  - { name: anthropic, type: anthropic, base_url: "http://127.0.0.1:9", models: [{ model: modern }, { model: gone }] }
  - name: mine
    type: anthropic
    base_url: "http://127.0.0.1:9"
    models: [{ model: modern }, { model: said, supports_temperature: true, supports_json_schema: false }, { model: new }]`,
  () => undefined,
)
if (!read.ok) throw new Error(read.faults.join('\n'))
const [anthropic, mine] = read.config.providers as [Provider, Provider]
type Provider = (typeof read.config.providers)[number]

const refuses = { supports_temperature: false, supports_json_schema: true }
const indexed = indexModels({
  provider: 'anthropic',
  version: 1,
  models: {
    'anthropic:modern': { ...refuses, is_active: true },
    'anthropic:said': { ...refuses, is_active: true },
    'anthropic:gone': { ...refuses, is_active: false },
    'anthropic:only-one': { temperature_values: [1] },
    'anthropic:toolless': { supports_function_calling: false },
    'anthropic:unforced': { supports_tool_choice: false },
  },
})
if (!indexed.ok) throw new Error('the models cannot be indexed')
const { index } = indexed
const facts = (provider: string) => (provider === 'anthropic' ? index : undefined)
const of = (provider: Provider, model: string) => traitsOf(provider, model, facts)

describe('what a model takes', () => {
  test('is what the registry says under the name of its provider, or the type', () => {
    const expected = { takesSampling: false, temperatures: null, takesJsonSchema: true, takesJsonTool: true }
    expect(of(anthropic, 'modern')).toEqual(expected)
    expect(of(mine, 'modern')).toEqual(expected)
  })

  test('is what the configuration says, if it says it', () => {
    expect(of(mine, 'said')).toEqual({
      takesSampling: true,
      temperatures: null,
      takesJsonSchema: false,
      takesJsonTool: true,
    })
  })

  test('is everything but schemas of what nothing is known of, and no schema of a model that is gone', () => {
    expect(of(mine, 'new')).toEqual({
      takesSampling: true,
      temperatures: null,
      takesJsonSchema: false,
      takesJsonTool: true,
    })
    expect(of(anthropic, 'gone').takesJsonSchema).toBe(false)
    for (const model of ['toolless', 'unforced']) expect(of(anthropic, model).takesJsonTool).toBe(false)
    expect(of(anthropic, 'only-one')).toMatchObject({ takesSampling: true, temperatures: [1] })
  })
})

describe('a request', () => {
  const body = { messages: [], temperature: 0.2, top_p: 0.5, top_k: 4, presence_penalty: 1, max_tokens: 5 }
  const takesAll = { takesSampling: true, temperatures: null, takesJsonSchema: false, takesJsonTool: true }

  test('loses what its model refuses, and nothing else', () => {
    expect(withoutRefused(body, takesAll)).toBe(body)
    expect(withoutRefused(body, { ...takesAll, takesSampling: false })).toEqual({ messages: [], max_tokens: 5 })
    const { temperature: _, ...rest } = body
    expect(withoutRefused(body, { ...takesAll, temperatures: [1] })).toEqual(rest)
    expect(withoutRefused({ ...body, temperature: 1 }, { ...takesAll, temperatures: [1] })).toHaveProperty(
      'temperature',
    )
  })
})
