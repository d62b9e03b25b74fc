import { describe, expect, it } from 'vitest'
import { indexModels, type ModelIndex } from '../../src/core/pricing/index.js'
import { NO_CONSTRAINTS, type RegistryFacts, readConstraints, resolveCandidates } from '../../src/core/routing/index.js'
import { bundledRegistry } from '../../src/features/registry/bundled-registry.js'

const files = await bundledRegistry()()
/** The public registry's facts. */
const real: RegistryFacts = (provider) => files.find((file) => file.provider === provider)?.index

function indexOf(models: Record<string, object>): ModelIndex {
  const result = indexModels({ provider: 'p', models })
  if (!result.ok) throw new Error(result.reason)
  return result.index
}
const price = (input: number, output?: number) => ({
  dollars_per_million_tokens_input: input,
  ...(output === undefined ? {} : { dollars_per_million_tokens_output: output }),
})
const only =
  (models: Record<string, object>): RegistryFacts =>
  (provider) =>
    provider === 'p' ? indexOf(models) : undefined

const chosen = (facts: RegistryFacts, reference: string, constraints: object = {}) =>
  resolveCandidates([reference], readConstraints(constraints).constraints, facts).candidates[0]?.model
const reasonOf = ({ unresolved }: ReturnType<typeof resolveCandidates>) => unresolved[0]?.reason

describe('a wildcard', () => {
  it('is the cheapest active model', () => {
    const facts = only({ 'p:b': price(2), 'p:a': price(3), 'p:gone': { ...price(1), is_active: false } })
    expect(chosen(facts, 'p:*')).toBe('p:b')
    expect(chosen(facts, 'P:*')).toBe('p:b')
  })

  it('is decided by the price of output, then by name, where input costs the same', () => {
    expect(chosen(only({ 'p:a': price(1, 30), 'p:b': price(1, 2) }), 'p:*')).toBe('p:b')
    expect(chosen(only({ 'p:b': price(1, 2), 'p:a': price(1, 2), 'p:c': price(1, 2) }), 'p:*')).toBe('p:a')
  })

  it('compares prices exactly', () => {
    expect(chosen(only({ 'p:a': price(0.30000000000000004), 'p:b': price(0.3) }), 'p:*')).toBe('p:b')
    expect(chosen(only({ 'p:a': price(0.1) }), 'p:*', { max_cost: 0.1 })).toBe('p:a')
    expect(chosen(only({ 'p:a': price(0.100001) }), 'p:*', { max_cost: 0.1 })).toBeUndefined()
  })

  it('takes a model of unknown price last, and never under a max_cost; one that is free comes first', () => {
    const facts = only({ 'p:a': {}, 'p:b': price(5) })
    expect(chosen(facts, 'p:*')).toBe('p:b')
    expect(chosen(only({ 'p:a': {} }), 'p:*')).toBe('p:a')
    expect(chosen(only({ 'p:a': {} }), 'p:*', { max_cost: 1_000_000 })).toBeUndefined()
    expect(chosen(only({ 'p:b': price(5), 'p:z': price(0) }), 'p:*', { max_cost: 0 })).toBe('p:z')
  })

  it('never takes a model of unknown context for a large one', () => {
    const sized = (tokens: number | null) => ({ ...price(1), max_input_tokens: tokens })
    const facts = only({
      'p:null': sized(null),
      'p:zero': sized(0),
      'p:small': sized(99_999),
      'p:large': sized(100_000),
    })
    expect(chosen(facts, 'p:*', { min_context: 100_000 })).toBe('p:large')
    expect(chosen(facts, 'p:*', { min_context: 100_001 })).toBeUndefined()
    const older = only({ 'p:a': { ...price(1), max_input_tokens: null, context_window_tokens: 200_000 } })
    expect(chosen(older, 'p:*', { min_context: 200_000 })).toBe('p:a')
  })

  it('reads a capability with and without supports_, in any case', () => {
    const facts = only({ 'p:a': price(1), 'p:b': { ...price(9), supports_vision: true, is_reasoning_model: true } })
    for (const name of ['vision', 'Vision', 'supports_vision', 'is_reasoning_model']) {
      expect(chosen(facts, 'p:*', { requires: [name] })).toBe('p:b')
    }
    expect(chosen(facts, 'p:*', { requires: ['constructor'] })).toBeUndefined()
  })

  it('never stands for a model that only embeds', () => {
    expect(chosen(only({ 'p:e': { ...price(0.01, 0), api_endpoint: 'embeddings' }, 'p:c': price(1) }), 'p:*')).toBe(
      'p:c',
    )
    const silent = { ...price(0.01), supports_streaming: false, supports_system_message: false }
    expect(chosen(only({ 'p:e': silent, 'p:c': price(1) }), 'p:*')).toBe('p:c')
  })

  it('says of each demand how many models satisfy it, if none satisfies all', () => {
    const facts = only({ 'p:a': { ...price(1), max_input_tokens: 10 }, 'p:b': { ...price(3), max_input_tokens: 99 } })
    const { constraints } = readConstraints({ min_context: 50, max_cost: 2.5, requires: ['vision'] })
    const candidates = resolveCandidates(['p:*'], constraints, facts)
    expect(candidates.candidates).toEqual([])
    expect(reasonOf(candidates)).toBe(
      'none of the 2 active chat models of p satisfies min_context 50 (1 of them), max_cost 2.5 (1 of them), requires vision (0 of them).',
    )
    expect(reasonOf(resolveCandidates(['q:*'], constraints, facts))).toBe("the registry has no models of 'q'.")
  })
})

describe('a wildcard against the public registry', () => {
  it.each([
    ['openai:*', {}, 'openai:gpt-5-nano'],
    ['google:*', {}, 'google:gemini-2.5-flash-lite'],
    ['anthropic:*', {}, 'anthropic:claude-haiku-4-5-20251001'],
    ['openai:*', { min_context: 1_000_000 }, 'openai:gpt-4.1-nano-2025-04-14'],
    ['anthropic:*', { min_context: 200_000 }, 'anthropic:claude-sonnet-5'],
    ['anthropic:*', { min_context: 100_000, max_cost: 10.0 }, 'anthropic:claude-haiku-4-5-20251001'],
    ['google:*', { requires: ['thinking', 'function_calling'] }, 'google:gemini-2.5-flash-lite'],
  ])('%s with %j is %s', (reference, constraints, model) => {
    expect(chosen(real, reference, constraints)).toBe(model)
  })

  it('is nothing where nobody is so cheap', () => {
    expect(chosen(real, 'anthropic:*', { max_cost: 0.5 })).toBeUndefined()
    expect(chosen(real, 'openai:*', { max_cost: 0.04 })).toBeUndefined()
  })
})

describe('the candidates of a binding', () => {
  const facts = only({ 'p:a': { ...price(1), max_input_tokens: 10 }, 'p:b': price(2) })
  const { constraints } = readConstraints({ min_context: 50, max_cost: 0.5, requires: ['vision'] })

  it('come in its order, wildcards as what they stand for, each model once', () => {
    const models = ['p:b', 'q:*', 'p:*', 'p:a', 'gpt-4', 'ollama:llama3:8b', 'p:b']
    const { candidates, unresolved } = resolveCandidates(models, NO_CONSTRAINTS, facts)
    expect(candidates.map(({ reference, model }) => [reference, model])).toEqual([
      ['p:b', 'p:b'],
      ['p:*', 'p:a'],
      ['gpt-4', 'gpt-4'],
      ['ollama:llama3:8b', 'ollama:llama3:8b'],
    ])
    expect(unresolved).toEqual([{ reference: 'q:*', reason: "the registry has no models of 'q'." }])
  })

  it('keep a model that was named, and say what it does not satisfy', () => {
    const { candidates } = resolveCandidates(['p:a', 'p:b', 'p:new', 'q:x'], constraints, facts)
    expect(candidates.map(({ model, unmet }) => [model, unmet])).toEqual([
      [
        'p:a',
        [
          'it takes 10 tokens, min_context is 50',
          'it costs 1 USD per million input tokens, max_cost is 0.5',
          "it does not support 'vision'",
        ],
      ],
      [
        'p:b',
        [
          'its context is unknown, min_context is 50',
          'it costs 2 USD per million input tokens, max_cost is 0.5',
          "it does not support 'vision'",
        ],
      ],
      ['p:new', []],
      ['q:x', []],
    ])
  })
})
