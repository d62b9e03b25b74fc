import { describe, expect, it } from 'vitest'
import { NO_CONSTRAINTS, readConstraints, readConstraintsText } from '../../src/core/routing/index.js'

describe('constraints', () => {
  it('are tokens, an exact price per token, and capabilities', () => {
    expect(
      readConstraints({ min_context: 100_000, max_cost: 0.15, requires: ['Vision', 'json_mode', 'vision'] }),
    ).toEqual({
      constraints: { minContextTokens: 100_000, maxPicoPerToken: 150_000n, requires: ['vision', 'json_mode'] },
      warnings: [],
    })
  })

  it.each([null, undefined, {}, { min_context: null, max_cost: null, requires: null }])(
    '%j demand nothing',
    (value) => {
      expect(readConstraints(value)).toEqual({ constraints: NO_CONSTRAINTS, warnings: [] })
    },
  )

  it('keep apart a limit of 0, which only a free model satisfies, and none', () => {
    expect(readConstraints({ max_cost: 0 }).constraints).toEqual({ maxPicoPerToken: 0n, requires: [] })
  })

  it.each([
    [0.1, 100_000n],
    [0.3, 300_000n],
    [10, 10_000_000n],
    [0.15000049, 150_000n],
    [1e-7, 0n],
    [5e-324, 0n],
    [1e21, 10n ** 27n],
  ])('a max_cost of %s is the largest whole price per token within it', (cost, pico) => {
    expect(readConstraints({ max_cost: cost }).constraints.maxPicoPerToken).toBe(pico)
  })

  it('take a lone name of a capability for a list of one', () => {
    expect(readConstraints({ requires: 'vision' })).toEqual({ constraints: { requires: ['vision'] }, warnings: [] })
  })

  it.each([
    ['min_context', 'many'],
    ['min_context', -1],
    ['min_context', true],
    ['max_cost', '10'],
    ['max_cost', -0.1],
    ['max_cost', { usd: 1 }],
    ['requires', { vision: true }],
    ['requires', ['vision', 1]],
  ])('ignore %s: %j with a warning that names it', (name, value) => {
    const { constraints, warnings } = readConstraints({ [name]: value })
    expect(constraints).toEqual(NO_CONSTRAINTS)
    expect(warnings).toEqual([expect.stringContaining(`constraints: ${name} must be`)])
  })

  it('ignore what is not a number in any language, with a warning', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(readConstraints({ max_cost: value })).toMatchObject({
        constraints: NO_CONSTRAINTS,
        warnings: { length: 1 },
      })
    }
  })

  it('ignore unknown members, each with a warning, bounded in number and length', () => {
    const { constraints, warnings } = readConstraints(
      JSON.parse('{"__proto__":{"max_cost":1},"region":"eu","max_cost":2}'),
    )
    expect(constraints).toEqual({ maxPicoPerToken: 2_000_000n, requires: [] })
    expect(warnings).toEqual([
      "constraints: '__proto__' is unknown here; it is kept and ignored.",
      "constraints: 'region' is unknown here; it is kept and ignored.",
    ])
    const many = readConstraints(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${n}`.repeat(200), n])))
    expect(many.warnings).toHaveLength(9)
    expect(many.warnings.at(-1)).toBe('constraints: 492 more warnings.')
    expect(Math.max(...many.warnings.map(({ length }) => length))).toBeLessThan(150)
  })

  it('look at 32 capabilities and say that there are more', () => {
    const names = Array.from({ length: 33 }, (_, n) => `c${n}`)
    const { constraints, warnings } = readConstraints({ requires: names })
    expect(constraints.requires).toEqual(names.slice(0, 32))
    expect(warnings).toEqual([expect.stringContaining('at most 32 names')])
  })

  it('are read from the text that is stored', () => {
    expect(readConstraintsText('{"max_cost":10.0,"min_context":1e5}').constraints).toEqual({
      ...{ maxPicoPerToken: 10_000_000n, minContextTokens: 100_000, requires: [] },
    })
    expect(readConstraintsText(null)).toEqual({ constraints: NO_CONSTRAINTS, warnings: [] })
    expect(readConstraintsText('[1]').warnings).toHaveLength(1)
    expect(readConstraintsText('{').warnings).toHaveLength(1)
  })
})
