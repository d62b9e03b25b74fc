import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nestsDeeperThan, unkeepableValues } from '../../src/http/body/json-guard.js'
import { findItems, surveyJson } from '../../src/http/body/survey-json.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const ANY_NUMBER = { valuesMax: Number.POSITIVE_INFINITY, namesMax: Number.POSITIVE_INFINITY }
const deeperThan = (text: string, nestingLevelsMax: number): boolean =>
  !surveyJson(bytesOf(text), { nestingLevelsMax, ...ANY_NUMBER }).ok
const checkValues = (text: string, value: unknown) => {
  const survey = surveyJson(bytesOf(text), { nestingLevelsMax: 32, ...ANY_NUMBER })
  return survey.ok && survey.suspect ? unkeepableValues(value) : []
}

/** The members of all objects, and the members and items of everything, by walking it. */
function countOf(value: unknown): { names: number; values: number } {
  if (typeof value !== 'object' || value === null) return { names: 0, values: 0 }
  const inside = Object.values(value).map(countOf)
  const own = inside.length
  return {
    names: (Array.isArray(value) ? 0 : own) + inside.reduce((sum, { names }) => sum + names, 0),
    values: own + inside.reduce((sum, { values }) => sum + values, 0),
  }
}

/** The depth of a value, by walking it. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

/** How many values and names in a value cannot be kept, by walking it. */
function countFaults(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : 1
  if (typeof value === 'string') return isBad(value) ? 1 : 0
  if (typeof value !== 'object' || value === null) return 0
  const inMembers = ([name, member]: [string, unknown]): number => (isBad(name) ? 1 : countFaults(member))
  return Object.entries(value).reduce((sum, entry) => sum + inMembers(entry), 0)
}

/** A lone surrogate is what encoding and decoding does not give back. */
const isBad = (text: string): boolean =>
  text.includes('\u0000') || new TextDecoder().decode(new TextEncoder().encode(text)) !== text

/** Texts of what a reader of JSON must not mistake for structure. */
const tricky = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a') })
const nested = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tricky,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(tricky, tie('node'), { maxKeys: 3 }),
  ),
})).node
const brackets = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a', ',') })
const wild = fc.string({ unit: fc.constantFrom('\u0000', '\ud800', '\udc00', '😀', 'a', '"', '\\', '/', '~') })

/** A number as JSON may write it, near and beyond the range of a double. */
const numeral = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.integer({ min: 1, max: 320 }),
    fc.constantFrom('', '.5', '.000'),
    fc.constantFrom('', 'e', 'E', 'e+', 'E+', 'e-', 'e+00'),
    fc.integer({ min: 0, max: 400 }),
  )
  .map(
    ([sign, digits, fraction, exponent, power]) =>
      `${sign}${'7'.repeat(digits)}${fraction}${exponent}${exponent === '' ? '' : power}`,
  )

const document = fc.letrec<{ node: string; leaf: string; list: string; record: string }>((tie) => ({
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('list'), tie('record')),
  leaf: fc.oneof(
    numeral,
    wild.map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'null', '""'),
  ),
  list: fc.array(tie('node'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
  record: fc
    .uniqueArray(fc.tuple(wild, tie('node')), { maxLength: 4, selector: ([name]) => name })
    .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
})).node

describe('the guard of JSON texts', () => {
  test('knows the depth of every value, however it is written', () => {
    fc.assert(
      fc.property(nested, fc.nat(9), fc.constantFrom(0, 2), (value, limit, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect([nestsDeeperThan(text, limit), deeperThan(text, limit)]).toEqual(Array(2).fill(depthOf(value) > limit))
      }),
      { numRuns: 1_000 },
    )
  })

  test('lets no text through that parses deeper than allowed', () => {
    fc.assert(
      fc.property(brackets, fc.nat(3), (text, limit) => {
        let value: unknown
        try {
          value = JSON.parse(text)
        } catch {
          return
        }
        expect([nestsDeeperThan(text, limit), deeperThan(text, limit)]).toEqual(Array(2).fill(depthOf(value) > limit))
      }),
      {
        numRuns: 2_000,
        examples: [
          ['["[[[["]', 1],
          ['["\\\\"]', 1],
          ['[[]]', 1],
        ],
      },
    )
  })

  test('counts every name, and at least every value', () => {
    fc.assert(
      fc.property(nested, fc.constantFrom(0, 2), (value, indent) => {
        const counted = countOf(value)
        const survey = surveyJson(bytesOf(JSON.stringify(value, null, indent)), { nestingLevelsMax: 32, ...ANY_NUMBER })
        expect(survey).toMatchObject({ ok: true, names: counted.names })
        expect(survey.ok && survey.values).toBeGreaterThanOrEqual(counted.values)
      }),
      { numRuns: 1_000 },
    )
  })

  test('takes an array apart into the texts of its items', () => {
    fc.assert(
      fc.property(fc.array(nested, { maxLength: 5 }), fc.constantFrom(0, 2), (items, indent) => {
        const bytes = bytesOf(` ${JSON.stringify(items, null, indent)}\n`)
        expect(itemsOf(bytes)).toEqual(items)
      }),
      { numRuns: 500 },
    )
  })

  test('takes apart only what is an array, however it is broken', () => {
    fc.assert(
      fc.property(brackets, (text) => {
        let value: unknown
        try {
          value = JSON.parse(text)
        } catch {
          value = undefined
        }
        let items: unknown
        try {
          items = itemsOf(bytesOf(text))
        } catch {
          items = undefined
        }
        expect(items).toEqual(Array.isArray(value) ? value : undefined)
      }),
      { numRuns: 5_000, examples: [['[[]a]'], ['[,]'], ['[[]},[]]'], ['[]]'], ['[][]'], ['["]"]'], ['[]']] },
    )
  })

  test('finds as many unkeepable values as a walk over everything', () => {
    fc.assert(
      fc.property(document, (text) => {
        const value: unknown = JSON.parse(text)
        expect(checkValues(text, value)).toHaveLength(Math.min(20, countFaults(value)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('points at what it found', () => {
    fc.assert(
      fc.property(document, (text) => {
        const value: unknown = JSON.parse(text)
        for (const { pointer, message } of checkValues(text, value)) {
          const found = follow(value, pointer)
          const names = typeof found === 'object' && found !== null ? Object.keys(found) : []
          if (message.startsWith("a member's name")) expect(names.some(isBad)).toBe(true)
          else expect(countFaults(found)).toBe(1)
        }
      }),
      { numRuns: 500 },
    )
  })
})

/** The items of a text as the door reads them: undefined for what is no array. Throws where an item is no JSON. */
function itemsOf(bytes: Uint8Array): unknown[] | undefined {
  const found = findItems(bytes, 1_000)
  if (!found.ok) return undefined
  const { borders } = found
  return borders
    .slice(1)
    .map((until, index) => JSON.parse(new TextDecoder().decode(bytes.subarray((borders[index] as number) + 1, until))))
}

/** What a JSON pointer (RFC 6901) points at. */
function follow(value: unknown, pointer: string): unknown {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return parts.reduce((inside, part) => (inside as Record<string, unknown>)[part], value)
}
