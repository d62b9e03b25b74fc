import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classify, jaccard, questionForm, requestKeys } from '../../src/core/routing/index.js'

const key = (text: string) => questionForm(text)?.key

/** Words that say something, none of which means another one of them. */
const WORDS = [
  ...['river', 'planet', 'engine', 'garden', 'doctor', 'market', 'violin', 'ladder', 'winter', 'copper', 'teacher'],
  ...['bridge', 'candle', 'dragon', 'forest', 'hammer', 'island', 'jacket', 'kitchen', 'lemon', 'mirror', 'needle'],
  ...[
    'near',
    'under',
    'without',
    'before',
    'after',
    'not',
    'never',
    'only',
    'every',
    'from',
    'to',
    'and',
    'or',
    'than',
  ],
]
const word = fc.constantFrom(...WORDS)
const sentence = fc.array(word, { minLength: 3, maxLength: 9 })
const opening = fc.constantFrom(
  'Where is the',
  'Why does a',
  'When did the',
  'How many of the',
  'Who saw the',
  'Compare the',
)
const question = fc.tuple(opening, sentence).map(([start, rest]) => `${start} ${rest.join(' ')}`)
const place = fc.nat({ max: 8 })

describe('the form of any question', () => {
  test('does not depend on courtesy, white space, case or the mark at the end', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const form = key(`${asked}?`)
        expect(form).toBeDefined()
        expect(key(`  ${asked.replaceAll(' ', '   ')} ?`)).toBe(form)
        expect(key(`${asked}, please?`)).toBe(form)
        expect(key(`Hi! ${asked}? Thanks!`)).toBe(form)
        expect(key(`${asked.toLowerCase()}?`)).toBe(form)
      }),
    )
  })

  test('changes with every word that is put in, left out, put in place of another or moved', () => {
    fc.assert(
      fc.property(opening, sentence, place, word, (start, rest, at, other) => {
        const index = at % rest.length
        const form = key([start, ...rest].join(' '))
        const changed = [
          [...rest.slice(0, index), other, ...rest.slice(index)],
          rest.filter((_, one) => one !== index),
          rest.map((one, place) => (place === index ? other : one)),
          [...rest.slice(1), ...rest.slice(0, 1)],
        ]
        for (const words of changed) {
          const same = words.join(' ') === rest.join(' ')
          if (!same) expect(key([start, ...words].join(' ')), words.join(' ')).not.toBe(form)
        }
      }),
    )
  })

  test('changes with every number', () => {
    fc.assert(
      fc.property(question, fc.nat({ max: 10_000 }), fc.nat({ max: 10_000 }), (asked, one, other) => {
        const same = key(`${asked} ${one}?`) === key(`${asked} ${other}?`)
        expect(same).toBe(one === other)
      }),
    )
  })

  test('changes with every letter of what is quoted', () => {
    const text = fc.string({ minLength: 1, maxLength: 20 }).filter((one) => !/["\n]/.test(one) && one.trim() === one)
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(key(`Spell "${one}"`) === key(`Spell "${other}"`)).toBe(one.normalize('NFC') === other.normalize('NFC'))
      }),
    )
  })

  test('is found for any text without a fault, and is the same each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(key(text)).toBe(key(text))
      }),
    )
  })
})

describe('the Jaccard measure', () => {
  test('is between 0 and 1, the same both ways, and 1 for a set and itself', () => {
    const set = fc.uniqueArray(word)
    fc.assert(
      fc.property(set, set, (one, other) => {
        expect(jaccard(one, other)).toBe(jaccard(other, one))
        expect(jaccard(one, other)).toBeGreaterThanOrEqual(0)
        expect(jaccard(one, other)).toBeLessThanOrEqual(1)
        expect(jaccard(one, one)).toBe(1)
      }),
    )
  })
})

describe('the key of any request', () => {
  const body = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
  const exact = (json: Record<string, unknown>) => requestKeys({ projectId: 'p', scope: {}, body: json })?.exact

  test('does not depend on the order of members, and tells different requests apart', () => {
    fc.assert(
      fc.property(body, body, (one, other) => {
        const turned = Object.fromEntries(Object.entries(one).reverse())
        expect(exact(turned)).toBe(exact(one))
        const [first, second] = [exact(one), exact(other)]
        if (first === undefined || first !== second) return
        expect(JSON.parse(first)).toEqual(JSON.parse(second))
        expect(JSON.parse(first).body).toEqual(JSON.parse(JSON.stringify(other)))
      }),
    )
  })
})

describe('the score of any request', () => {
  test('lies between 0 and 100, and tools never lower the tier', () => {
    const shape = { system: fc.string(), turns: fc.nat(), chars: fc.nat(), json: fc.boolean() }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.record(shape), (prompt, more) => {
        const plain = classify({ prompt, ...more, tools: false })
        const tools = classify({ prompt, ...more, tools: true })
        expect(plain.score).toBeGreaterThanOrEqual(0)
        expect(tools.score).toBeLessThanOrEqual(100)
        expect(tools.tier).toBeGreaterThanOrEqual(Math.max(2, plain.tier))
      }),
    )
  })
})
