import { describe, expect, test } from 'vitest'
import { faultOf, nestsDeeperThan, unkeepableValues } from '../../src/http/body/json-guard.js'
import { surveyJson } from '../../src/http/body/survey-json.js'

const LIMITS = { nestingLevelsMax: 32, valuesMax: 1_000, namesMax: 1_000 }
/** Looks closer only where the survey of the text found a reason to, as the door does. */
const check = (text: string) => {
  const survey = surveyJson(new TextEncoder().encode(text), LIMITS)
  return survey.ok && survey.suspect ? unkeepableValues(JSON.parse(text)) : []
}
const pointers = (text: string) => check(text).map((error) => error.pointer)

describe('the depth of a JSON text', () => {
  const DEPTHS: readonly (readonly [string, number])[] = [
    ['1', 0],
    ['"[[[["', 0],
    ['[]', 1],
    ['{}', 1],
    ['[[],[[]]]', 3],
    ['{"a":[{"b":1}]}', 3],
    ['["[", "]"]', 1],
    [String.raw`["\"[[["]`, 1],
    [String.raw`["\\",["\\\""]]`, 2],
    [String.raw`["\\\\",[[]]]`, 3],
    [String.raw`{"a\"[":["{\\"]}`, 2],
    ['[[],[],[],[]]', 2],
  ]
  test.each(DEPTHS)('%s is %i', (text, depth) => {
    expect(nestsDeeperThan(text, depth)).toBe(false)
    if (depth > 0) expect(nestsDeeperThan(text, depth - 1)).toBe(true)
  })

  test('is found in a text that no recursive reader would survive', () => {
    expect(nestsDeeperThan('['.repeat(4_000_000), 32)).toBe(true)
  })

  test.each(['"never closed [[[[', String.raw`"\\\\\"[[[[`, '"'])(
    'is read to the end of an unfinished string: %s',
    (text) => {
      expect(nestsDeeperThan(text, 1)).toBe(false)
    },
  )
})

describe('a value that no store can keep', () => {
  const REFUSED: readonly (readonly [string, string, string])[] = [
    ['a NUL', String.raw`{"a":"x\u0000"}`, '/a'],
    ['a lone high surrogate', String.raw`{"a":["\ud800"]}`, '/a/0'],
    ['a lone low surrogate', String.raw`["\uDC00 x"]`, '/0'],
    ['surrogates in the wrong order', String.raw`["\udc00\ud800"]`, '/0'],
    ['a NUL in a name', String.raw`{"b":{"x\u0000":1}}`, '/b'],
    ['a lone surrogate in a name', String.raw`{"\uD83D":1}`, ''],
    ['1e400', '{"a":1e400}', '/a'],
    ['-1e400', '[-1E+400]', '/0'],
    ['1e0400', '[1e0400]', '/0'],
    ['a number of 400 digits', `[${'9'.repeat(400)}]`, '/0'],
    ['a number of 300 digits with a small exponent', `[1${'0'.repeat(299)}e20]`, '/0'],
    ['a number of 212 digits with two digits of exponent', `[1${'0'.repeat(211)}e99]`, '/0'],
    ['a number of 305 digits with one digit of exponent', `[1${'0'.repeat(304)}e9]`, '/0'],
    ['1e400 alone', '1e400', ''],
  ]
  test.each(REFUSED)('is found: %s', (_, text, pointer) => {
    expect(pointers(text)).toEqual([pointer])
  })

  const KEPT: readonly string[] = [
    String.raw`["\ud83d\ude00", "\u0001", "\\u0000", "\\ud800"]`,
    '[1e308, -1.7976931348623157e308, 1e-400, 0.1e300]',
    `[${'9'.repeat(308)}]`,
    `["${'9'.repeat(400)}", "1e400"]`,
    String.raw`{"\ud83d\ude00":{"e1000":"1e1000"}}`,
    'null',
  ]
  test.each(KEPT)('is not found in %s', (text) => {
    expect(check(text)).toEqual([])
  })

  test('is named by a JSON pointer that escapes ~ and /', () => {
    expect(pointers('{"a/b":{"~":[0,1e999]}}')).toEqual(['/a~1b/~0/1'])
  })

  test('is said of at most twenty places, however many there are', () => {
    const values = JSON.stringify(Array.from({ length: 100 }, () => 'x\0'))
    const names = JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x\0${index}`, 1])))
    expect(check(values)).toHaveLength(20)
    expect(check(names)).toHaveLength(20)
  })

  test('is found beside a member that is named __proto__', () => {
    expect(pointers('{"__proto__":{"a":1e400}}')).toEqual(['/__proto__/a'])
  })
})

describe('a fault', () => {
  test.each([[1], [-0], [''], ['ok'], [true], [null], [undefined], [{}], [Number.MAX_VALUE]])(
    'is not in %j',
    (value) => {
      expect(faultOf(value)).toBeUndefined()
    },
  )

  test.each([[Number.NaN], [Number.NEGATIVE_INFINITY], ['a\0b'], ['\ud800'], ['\udfff.']])('is in %j', (value) => {
    expect(faultOf(value)).toEqual(expect.any(String))
  })
})
