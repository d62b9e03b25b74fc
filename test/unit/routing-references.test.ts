import { describe, expect, it } from 'vitest'
import { parseReference } from '../../src/core/routing/index.js'

describe('a model reference', () => {
  it.each([
    ['openai:gpt-4o-mini', 'openai', 'gpt-4o-mini', false],
    ['ollama:llama3:8b', 'ollama', 'llama3:8b', false],
    ['openai:*', 'openai', '*', true],
    ['openai:gpt-*', 'openai', 'gpt-*', false],
    ['OpenAI:GPT-4.1', 'OpenAI', 'GPT-4.1', false],
  ])('%s names a provider and a model', (text, provider, model, isWildcard) => {
    expect(parseReference(text)).toEqual({ ok: true, reference: { provider, model, isWildcard } })
  })

  it.each([
    ['gpt-4o', 'provider'],
    ['', 'provider'],
    [':gpt-4o', 'provider'],
    [' :gpt-4o', 'provider'],
    ['*', 'provider'],
    ['openai:', 'model'],
    ['openai: ', 'model'],
  ])('%j is refused with a message that shows the right form', (text, lacking) => {
    const message = `'${text}' names no ${lacking}; write it as provider:model, like openai:gpt-4o-mini.`
    expect(parseReference(text)).toEqual({ ok: false, message })
  })
})
