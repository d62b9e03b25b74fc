import { expect, it } from 'vitest'
import { type Backend, backendName, type Tier } from '../../src/core/routing/index.js'

const backend = (provider: string, model: string, tier: Tier): Backend => ({
  ...{ provider, model, tier, costPerThousandIn: 0, costPerThousandOut: 0, priority: 1, order: 0 },
})

it('names a backend by provider and model', () => {
  expect(backendName(backend('groq-free', 'llama-3.3-70b', 1))).toBe('groq-free:llama-3.3-70b')
  expect(backendName(backend('local', 'library/x:7b', 2))).toBe('local:library/x:7b')
})
