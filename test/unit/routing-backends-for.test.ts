import { describe, expect, it } from 'vitest'
import { type Backend, backendName, backendsFor } from '../../src/core/routing/index.js'

const backend = (provider: string, model: string, order: number, type?: string): Backend => ({
  ...{ provider, model, tier: 1, costPerThousandIn: 0, costPerThousandOut: 0, priority: 1, order },
  ...(type === undefined ? {} : { type }),
})
const BACKENDS = [
  backend('groq-free', 'llama', 0, 'groq'),
  backend('groq-paid', 'llama', 1, 'groq'),
  backend('OpenAI', 'gpt', 2, 'openai'),
  backend('local', 'qwen:7b', 3, 'ollama'),
]
const found = (model: string | undefined, bound?: readonly string[]) => {
  const result = backendsFor(model, bound, BACKENDS)
  return result.ok ? result.placed.map(({ backend, place }) => `${place} ${backendName(backend)}`) : result.reason
}

describe('the backends for a model', () => {
  it('are all for auto and for none', () => {
    for (const model of ['auto', undefined]) {
      expect(backendsFor(model, undefined, BACKENDS)).toMatchObject({ ok: true, by: 'auto', placed: { length: 4 } })
    }
  })

  it('are that of the provider by its name, in any case, before those of its type', () => {
    expect(found('groq-free:llama')).toEqual(['0 groq-free:llama'])
    expect(found('openai:gpt')).toEqual(['0 OpenAI:gpt'])
    expect(found('groq:llama')).toEqual(['0 groq-free:llama', '0 groq-paid:llama'])
  })

  it('are every one that lists a bare model, which may hold a colon', () => {
    expect(found('llama')).toEqual(['0 groq-free:llama', '0 groq-paid:llama'])
    expect(found('qwen:7b')).toEqual(['0 local:qwen:7b'])
    expect(found('local:qwen:7b')).toEqual(['0 local:qwen:7b'])
  })

  it('are none for a model that no provider lists', () => {
    for (const model of ['gpt-9', 'openai:llama', ':', 'groq:', ':llama', ''])
      expect(found(model)).toBe('unknown-model')
  })

  it("are those of an alias's list in its order, each at its first place", () => {
    expect(found('fast', ['openai:gpt', 'groq:llama', 'llama'])).toEqual([
      '0 OpenAI:gpt',
      '1 groq-free:llama',
      '1 groq-paid:llama',
    ])
    expect(backendsFor('fast', ['openai:gpt'], BACKENDS)).toMatchObject({ by: 'alias' })
  })

  it('are those of the alias if a model has its name, too, auto included', () => {
    expect(found('llama', ['openai:gpt'])).toEqual(['0 OpenAI:gpt'])
    expect(found('auto', ['openai:gpt'])).toEqual(['0 OpenAI:gpt'])
  })

  it('leave out what is bound and not served, and say so if nothing is left', () => {
    expect(found('fast', ['anthropic:claude', 'openai:gpt'])).toEqual(['1 OpenAI:gpt'])
    expect(found('fast', ['anthropic:claude'])).toBe('unserved')
    expect(found('fast', [])).toBe('unserved')
  })
})
