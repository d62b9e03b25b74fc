import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { USAGE_LIMITS } from '../../src/features/usage/limits.js'
import { readPlainEvent } from '../../src/features/usage/record/sent-event.js'
import { LogBody } from '../../src/features/usage/schema.js'

const { nameCharactersMax, tokensPerKindMax, latencyMsMax, reportedCostUsdMax } = USAGE_LIMITS
const RUNS = 300

const counts = [
  ...['input_tokens', 'output_tokens', 'cached_input_tokens', 'cache_read_input_tokens'],
  ...['cache_write_5m_input_tokens', 'cache_write_1h_input_tokens', 'reasoning_tokens'],
]
const names = ['alias', 'profile', 'origin', 'id_at_origin', 'conversation_id', 'idempotency_key']
const optional = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: value, weight: 3 }, { arbitrary: fc.constantFrom(null, undefined), weight: 1 })

/** What a client sends: no count is larger than the one that it is a part of. */
const ordinary = fc.record({
  provider: fc.string({ minLength: 1, maxLength: 20 }),
  model: fc.string({ minLength: 1, maxLength: 20 }),
  input_tokens: fc.integer({ min: 1_000, max: tokensPerKindMax }),
  output_tokens: fc.integer({ min: 1_000, max: tokensPerKindMax }),
  cached_input_tokens: optional(fc.integer({ min: 0, max: 1_000 })),
  reasoning_tokens: optional(fc.integer({ min: 0, max: 1_000 })),
  cache_write_1h_input_tokens: optional(fc.integer({ min: 0, max: 1_000 })),
  input_tokens_include_cache: optional(fc.boolean()),
  alias: optional(fc.string({ maxLength: 20 })),
  origin: optional(fc.string({ maxLength: nameCharactersMax })),
  cost: optional(fc.double({ min: 0, max: 1_000, noNaN: true })),
  latency_ms: optional(fc.double({ min: 0, max: latencyMsMax, noNaN: true })),
  metadata: optional(fc.dictionary(fc.string(), fc.jsonValue())),
  timestamp: optional(fc.constantFrom('2026-01-31T12:00:00Z', '2026-01-31T12:00:00.123+02:00', '')),
  idempotency_key: optional(fc.string({ maxLength: 30 })),
})

/** What stands at the borders of each rule, and what is none of its business. */
const odd: unknown[] = [
  ...[
    null,
    undefined,
    true,
    false,
    '',
    ' ',
    0,
    -0,
    -1,
    0.5,
    1e300,
    Number.POSITIVE_INFINITY,
    [],
    {},
    '10',
    '010',
    '1e3',
  ],
  ...[tokensPerKindMax, tokensPerKindMax + 1, latencyMsMax, latencyMsMax + 1, reportedCostUsdMax, '0.5', '1.'],
  ...[{ deep: [1] }, { large: 'x'.repeat(USAGE_LIMITS.metadataBytesMax) }, reportedCostUsdMax * 1.1],
  ...['2026-02-30T00:00:00Z', '2026-01-31', 'yesterday', '2026-01-31T12:00:00Z'.padEnd(80)],
  ...['n', '😀'].flatMap((text) => [text.repeat(nameCharactersMax), text.repeat(nameCharactersMax + 1)]),
]
const fields = [
  ...[...counts, ...names, 'provider', 'model', 'cost', 'latency_ms', 'metadata', 'timestamp'],
  ...['input_tokens_include_cache', '__proto__', 'unknown'],
]

const bySchema = (value: unknown) => LogBody.safeParse(value)

describe('an event that is read without the schema', () => {
  it('is the one that the schema gives, and every ordinary one is read so', () => {
    fc.assert(
      fc.property(ordinary, (sent) => {
        const value: unknown = JSON.parse(JSON.stringify(sent))
        const read = readPlainEvent(value)
        expect(read).toBeDefined()
        expect(bySchema(value)).toEqual({ success: true, data: read })
      }),
      { numRuns: RUNS },
    )
  })

  it('is never one that the schema refuses or reads differently, whatever one of its members is', () => {
    const sent = { provider: 'openai', model: 'gpt-4o', input_tokens: 1_000, output_tokens: 500, alias: 'summarizer' }
    let plain = 0
    for (const name of fields) {
      for (const value of odd) {
        const changed = { ...sent }
        Object.defineProperty(changed, name, { value, enumerable: true, configurable: true, writable: true })
        const read = readPlainEvent(changed)
        if (read === undefined) continue
        plain += 1
        expect(bySchema(changed), `${name}: ${String(value).slice(0, 20)}`).toEqual({ success: true, data: read })
      }
    }
    expect(plain).toBeGreaterThan(fields.length * 3)
  })

  it('needs an object with both names and both counts', () => {
    const least = { provider: 'openai', model: 'gpt-4o', input_tokens: 1, output_tokens: null }
    expect(readPlainEvent(least)).toEqual(bySchema(least).data)
    for (const name of Object.keys(least)) expect(readPlainEvent({ ...least, [name]: undefined })).toBeUndefined()
    for (const value of [undefined, null, 'event', 1, [], [least]]) expect(readPlainEvent(value)).toBeUndefined()
  })

  it('keeps nothing of what was sent but what is recorded: a waiting event would hold it a second time', () => {
    const metadata = { run: 17 }
    const read = readPlainEvent({ provider: 'a', model: 'b', input_tokens: 1, output_tokens: 1, metadata, more: [1] })
    expect(JSON.stringify(read)).not.toContain('more')
    expect(read?.event.metadata).toBe('{"run":17}')
  })
})
