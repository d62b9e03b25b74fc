import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { receiptCalculationCharsMax, receiptCountersMax, receiptTextCharsMax } from '../../src/core/proof/index.js'
import { OURS, readPlainIssue } from '../../src/features/receipts/issue/plain-issue.js'
import { IssueBody } from '../../src/features/receipts/schema.js'

const CLAIMS = {
  ...{ model: 'openai:gpt-4o-mini', alias: 'summarizer', lock_digest: 'none', registry_version: 'openai@7' },
  tokens: { input: 1200, output: 300 },
  cost: { amount: '0.00036' },
}
const counters = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`kind_${at}`, at]))
const longest = (most: number) => ['x'.repeat(most), 'x'.repeat(most + 1)]

/** What stands at the borders of each rule, and what is none of its business. */
const odd: unknown[] = [
  ...[null, undefined, true, '', ' ', 'USD', 'EUR', 0, -0, -1, 0.5, 1e300, 2 ** 53 - 1, 2 ** 53, [], {}, '10'],
  ...[Number.NaN, Number.POSITIVE_INFINITY, { input: '1.5' }, counters(receiptCountersMax - 2)],
  ...[counters(receiptCountersMax + 1), '2026-01-31T12:00:00Z', 'call/4711', '.', '😀'],
  ...[...longest(receiptTextCharsMax), ...longest(receiptCalculationCharsMax)],
]
const ofTop = ['id', 'timestamp', 'registry_version', 'provider', 'model', 'alias', 'profile', 'lock_digest', 'key_id']
const ofCost = ['amount', 'calculation', 'currency', 'unit_prices']
const paths: (readonly string[])[] = [
  ...[...ofTop, 'tokens', 'cost', ...OURS, 'unknown', '__proto__'].map((name) => [name]),
  ...['input', 'output', 'cached_input', 'reasoning', '__proto__'].map((name) => ['tokens', name]),
  ...[...ofCost, 'unknown', '__proto__'].map((name) => ['cost', name]),
]

/** The claims with another value at a path, which is the member of an own property whatever its name. */
function changed([first = '', second]: readonly string[], value: unknown): Record<string, unknown> {
  const own = (object: object, name: string, member: unknown) =>
    Object.defineProperty({ ...object }, name, { value: member, enumerable: true, configurable: true, writable: true })
  if (second === undefined) return own(CLAIMS, first, value)
  return own(CLAIMS, first, own((CLAIMS as Record<string, unknown>)[first] as object, second, value))
}

/** What the handler reads of a body: of the top and of the cost only known members, of the tokens all. */
function saidIn(body: Readonly<Record<string, unknown>>) {
  const cost = body['cost'] as Readonly<Record<string, unknown>>
  const pick = (object: Readonly<Record<string, unknown>>, names: readonly string[]) =>
    names.map((name) => object[name] ?? null)
  return [pick(body, ofTop), pick(cost, ofCost), Object.entries(body['tokens'] as object).sort()]
}

describe('claims that are read without the schema', () => {
  it('are those that the schema gives, and every ordinary ones are read so', () => {
    const text = fc.string({ maxLength: receiptTextCharsMax })
    const claims = fc.record(
      {
        ...{ model: fc.string({ minLength: 1, maxLength: 40 }), alias: text, lock_digest: text, profile: text },
        tokens: fc.record({ input: fc.nat(), output: fc.nat(), cached_input: fc.option(fc.nat()) }),
        cost: fc.record({ amount: fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })) }),
        ...{ timestamp: fc.option(text), key_id: fc.option(text), more: fc.jsonValue() },
      },
      { requiredKeys: ['model', 'alias', 'lock_digest', 'tokens', 'cost'] },
    )
    fc.assert(
      fc.property(claims, (sent) => {
        const value = JSON.parse(JSON.stringify(sent)) as Record<string, unknown>
        const read = readPlainIssue(value)
        expect(read).toBe(value)
        expect(saidIn(IssueBody.parse(value))).toEqual(saidIn(value))
      }),
      { numRuns: 300 },
    )
  })

  it('are never ones that the schema refuses or reads differently, whatever one of their members is', () => {
    let plain = 0
    for (const path of paths) {
      for (const value of odd) {
        const body = changed(path, value)
        if (readPlainIssue(body) === undefined) continue
        plain += 1
        const parsed = IssueBody.safeParse(body)
        expect(parsed.success, `${path.join('/')}: ${String(value).slice(0, 20)}`).toBe(true)
        expect(saidIn(parsed.data ?? {}), path.join('/')).toEqual(saidIn(body))
      }
    }
    expect(plain).toBeGreaterThan(paths.length * 4)
  })

  it('are of an object that has all that it must have', () => {
    expect(readPlainIssue(CLAIMS)).toBe(CLAIMS)
    for (const name of ['model', 'alias', 'lock_digest', 'tokens', 'cost']) {
      expect(readPlainIssue({ ...CLAIMS, [name]: undefined })).toBeUndefined()
    }
    for (const value of [undefined, null, 'claims', 1, [], [CLAIMS]]) expect(readPlainIssue(value)).toBeUndefined()
  })
})
