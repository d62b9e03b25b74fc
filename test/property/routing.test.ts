import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indexModels, type ModelIndex } from '../../src/core/pricing/index.js'
import {
  DRIFT_KINDS,
  driftOf,
  parseReference,
  type RegistryFacts,
  readConstraints,
  readConstraintsText,
  resolveCandidates,
} from '../../src/core/routing/index.js'

type Fields = Record<string, unknown>

/** Few different values, so that models tie in price, in limits and in names that differ by case only. */
const fields: fc.Arbitrary<Fields> = fc.record(
  {
    dollars_per_million_tokens_input: fc.constantFrom(0, 0.1, 0.3, 0.1 + 0.2, 2, null),
    dollars_per_million_tokens_output: fc.constantFrom(0.4, 2, null),
    max_input_tokens: fc.constantFrom(0, 1_000, 128_000, null),
    supports_vision: fc.boolean(),
    is_active: fc.boolean(),
    api_endpoint: fc.constantFrom('chat', 'embeddings', null),
  },
  { requiredKeys: [] },
)
const models = fc.dictionary(
  fc.constantFrom(...'abcdefgABCDEFG').map((name) => `p:${name}`),
  fields,
  { maxKeys: 12 },
)
const constraints: fc.Arbitrary<Asked> = fc.record(
  {
    min_context: fc.constantFrom(0, 1_000, 1_001, 200_000),
    max_cost: fc.constantFrom(0, 0.1, 0.3, 0.30000000000000004, 5),
    requires: fc.constantFrom<string[]>([], ['vision']),
  },
  { requiredKeys: [] },
)
type Asked = { min_context?: number; max_cost?: number; requires?: readonly string[] }

function indexOf(entries: Record<string, Fields>): ModelIndex {
  const result = indexModels({ provider: 'p', models: entries })
  if (!result.ok) throw new Error(result.reason)
  return result.index
}
const factsOf = (entries: Record<string, Fields>): RegistryFacts => {
  const index = indexOf(entries)
  return (provider) => (provider === 'p' ? index : undefined)
}
const resolve = (entries: Record<string, Fields>, asked: Asked) =>
  resolveCandidates(['p:*'], readConstraints(asked).constraints, factsOf(entries)).candidates[0]?.model

/** The rules written out once more, over the JSON numbers in millionths. */
function satisfying(entries: Record<string, Fields>, asked: Asked): string[] {
  const millionths = (usd: unknown) => (typeof usd === 'number' ? Math.round(usd * 1e6) : undefined)
  return Object.entries(entries).flatMap(([key, model]) => {
    // A price with more than six places is none: the registry has no such, and it could not be counted exactly.
    const input =
      model['dollars_per_million_tokens_input'] === 0.1 + 0.2 ? null : model['dollars_per_million_tokens_input']
    const isGiven =
      model['is_active'] !== false &&
      model['api_endpoint'] !== 'embeddings' &&
      (asked.min_context === undefined || (Number(model['max_input_tokens'] ?? 0) || -1) >= asked.min_context) &&
      (asked.max_cost === undefined ||
        (millionths(input) ?? Number.POSITIVE_INFINITY) <= asked.max_cost * 1e6 + 1e-3) &&
      (asked.requires ?? []).every((name) => model[`supports_${name}`] === true)
    const rank = [millionths(input), millionths(model['dollars_per_million_tokens_output'])]
    return isGiven ? [`${rank.map((price) => String(price ?? 1e12).padStart(15, '0')).join(' ')} ${key}`] : []
  })
}

describe('a wildcard', () => {
  it('is the first of all that satisfy the constraints, by price of input, price of output and name', () => {
    fc.assert(
      fc.property(models, constraints, (entries, asked) => {
        const [first] = satisfying(entries, asked).sort()
        expect(resolve(entries, asked)).toBe(first?.split(' ')[2])
      }),
      { numRuns: 2_000 },
    )
  })

  it('does not depend on the order of the models in the file', () => {
    fc.assert(
      fc.property(models, constraints, fc.infiniteStream(fc.nat()), (entries, asked, ranks) => {
        const shuffled = Object.entries(entries)
          .map((entry) => ({ entry, rank: ranks.next().value }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ entry }) => entry)
        expect(resolve(Object.fromEntries(shuffled), asked)).toBe(resolve(entries, asked))
      }),
    )
  })

  it('is a candidate or unresolved with a reason, never both and never neither', () => {
    fc.assert(
      fc.property(models, constraints, fc.array(fc.constantFrom('p:*', 'q:*', 'p:a', 'x')), (entries, asked, bound) => {
        const read = readConstraints(asked).constraints
        const { candidates, unresolved } = resolveCandidates(bound, read, factsOf(entries))
        expect(new Set(candidates.map(({ model }) => model)).size).toBe(candidates.length)
        expect(candidates.every(({ model }) => !model.endsWith(':*'))).toBe(true)
        for (const reference of bound) {
          const isUnresolved = unresolved.some((one) => one.reference === reference && one.reason.endsWith('.'))
          if (!reference.endsWith('*')) expect(candidates.some(({ model }) => model === reference)).toBe(true)
          else if (isUnresolved) expect(candidates.some((one) => one.reference === reference)).toBe(false)
          else expect(candidates.length).toBeGreaterThan(0)
        }
      }),
    )
  })
})

describe('constraints', () => {
  const members = fc.dictionary(
    fc.oneof(fc.constantFrom('min_context', 'max_cost', 'requires'), fc.string()),
    fc.jsonValue(),
  )

  it('of any shape are read without a refusal, and so is their text', () => {
    fc.assert(
      fc.property(fc.oneof(members, fc.jsonValue()), (value) => {
        const read = readConstraints(value)
        expect(read.warnings.length).toBeLessThanOrEqual(9)
        expect(readConstraintsText(JSON.stringify(value))).toEqual(readConstraints(JSON.parse(JSON.stringify(value))))
      }),
    )
  })

  it('warn once for each member that is unknown, and mean the same without it', () => {
    fc.assert(
      fc.property(constraints, fc.uniqueArray(fc.stringMatching(/^x[a-z]*$/), { maxLength: 8 }), (asked, names) => {
        const read = readConstraints({ ...asked, ...Object.fromEntries(names.map((name) => [name, 1])) })
        expect(read.constraints).toEqual(readConstraints(asked).constraints)
        expect(read.warnings).toHaveLength(names.length)
      }),
    )
  })
})

describe('a reference', () => {
  it('is taken exactly if both sides of its first colon say something', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.string(), fc.string()).map((parts) => parts.join(':')),
        ),
        (text) => {
          const [provider = '', ...rest] = text.split(':')
          const model = rest.join(':')
          const parsed = parseReference(text)
          expect(parsed.ok).toBe(provider.trim() !== '' && model.trim() !== '')
          if (parsed.ok) expect(`${parsed.reference.provider}:${parsed.reference.model}`).toBe(text)
          else expect(parsed.message).toContain('provider:model')
        },
      ),
    )
  })
})

describe('drift', () => {
  const references = fc.constantFrom('p:a', 'p:B', 'p:zzz', 'p:*', 'P:a', 'q:a', 'bare')

  it('between a version and itself is nothing but what is wrong with it already', () => {
    fc.assert(
      fc.property(models, constraints, references, (entries, asked, reference) => {
        const facts = factsOf(entries)
        const read = readConstraints(asked).constraints
        const found = driftOf(reference, read, { pinned: facts, current: facts })
        expect(found).toEqual(driftOf(reference, read, { pinned: () => undefined, current: facts }))
        expect(found.every(({ kind }) => ['gone', 'inactive', 'unsatisfied'].includes(kind))).toBe(true)
      }),
    )
  })

  it('tells each kind once at most, and of every change two values that differ', () => {
    fc.assert(
      fc.property(models, models, constraints, references, (before, after, asked, reference) => {
        const registry = { pinned: factsOf(before), current: factsOf(after) }
        const found = driftOf(reference, readConstraints(asked).constraints, registry)
        const kinds = found.map(({ kind }) => kind)
        expect(new Set(kinds).size).toBe(kinds.length)
        for (const { kind, changes } of found) {
          expect(DRIFT_KINDS).toContain(kind)
          for (const { pinned, current } of changes) expect(pinned).not.toBe(current)
          if (['price_changed', 'limits_changed', 'resolves_differently'].includes(kind))
            expect(changes).not.toEqual([])
        }
      }),
    )
  })
})
