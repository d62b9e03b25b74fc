import { describe, expect, it } from 'vitest'
import { jsonPointerCharsMax, parseStrictJson, receiptJsonLimits } from '../../src/core/json/index.js'

const refused = (reason: string, pointer: string) => ({ ok: false, reason, pointer })

describe('a JSON text that is read strictly', () => {
  it.each([
    ['null', null],
    [' "a" ', 'a'],
    ['-12.5e-3', -0.0125],
    ['{}', {}],
    ['[[],{},[{}]]', [[], {}, [{}]]],
    ['{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}', { a: { a: { a: 1 } }, b: [{ a: 1 }, { a: 2 }] }],
    ['{"a":"a","b":"a"}', { a: 'a', b: 'a' }],
    ['["\\ud83d\\ude00","\u{1f600}"]', ['\u{1f600}', '\u{1f600}']],
    ['{"a":"{\\"b\\":1,\\"b\\":2}"}', { a: '{"b":1,"b":2}' }],
    ['"\\\\"', '\\'],
    ['{"a\\\\":1,"a":2}', { 'a\\': 1, a: 2 }],
  ])('%s means what JSON.parse says', (text, value) => {
    expect(parseStrictJson(text)).toEqual({ ok: true, value })
  })

  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"\\u0061":1,"a":2}', '/a'],
    ['{"/":1,"\\/":2}', '/~1'],
    ['{"\\ud83d\\ude00":1,"\u{1f600}":2}', '/\u{1f600}'],
    ['{"":1,"":2}', '/'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['{"a":{"b":[0,{"c~d":1,"x":{"c~d":3},"c~d":2}]}}', '/a/b/1/c~0d'],
    ['[{"a":1},{"a":{"b":1},"c":[1,2],"a":2}]', '/1/a'],
    ['{"a":{"b":1},"c":1,"a":2}', '/a'],
    [' { "a" : 1 , "a" : 2 } ', '/a'],
  ])('a name that comes twice is found in %s', (text, pointer) => {
    expect(parseStrictJson(text)).toEqual(refused('duplicate-name', pointer))
  })

  it.each([
    ['"\\ud800"', 'lone-surrogate', ''],
    ['"\ud800"', 'lone-surrogate', ''],
    ['{"a":["x","\\udc00\\ud800"]}', 'lone-surrogate', '/a/1'],
    ['{"a":{"\\ud83d":1}}', 'lone-surrogate', '/a'],
    ['{"a":{"b":1,"\\ud83d":1}}', 'lone-surrogate', '/a'],
    ['[{},"a",{"b":"\\ud800"}]', 'lone-surrogate', '/2/b'],
    ['{"a":"\\u0000"}', 'nul-character', '/a'],
    ['{"a":{"b\\u0000":1}}', 'nul-character', '/a'],
    ['{"a":[1,1e400000]}', 'number-out-of-range', '/a/1'],
    ['-1e309', 'number-out-of-range', ''],
    [`{"a":${'9'.repeat(310)}}`, 'number-out-of-range', '/a'],
  ])('%s is refused as %s', (text, reason, pointer) => {
    expect(parseStrictJson(text)).toEqual(refused(reason, pointer))
  })

  it.each(
    [
      [
        '',
        '{',
        '[1,]',
        '{"a":1,}',
        "{'a':1}",
        '01',
        '1e',
        '+1',
        'nul',
        'NaN',
        '"a',
        '"\\x"',
        '"\t"',
        '"\\u12"',
        '{"a" 1}',
      ],
      [
        '[1 2]',
        '{"a":1 "b":2}',
        '{1:2}',
        ']',
        '}',
        '[}',
        '{"a":1]',
        '1 1',
        '\ufeff{}',
        '// 1',
        '{"a":1}{"b":2}',
        '{"ab":1,"abc',
        '\0',
        '"\0"',
      ],
    ].flat(),
  )('%j is no JSON', (text) => {
    expect(parseStrictJson(text)).toEqual(refused('syntax', ''))
  })

  it('a member named __proto__ is data and reaches no prototype', () => {
    const parsed = parseStrictJson('{"__proto__":{"polluted":true},"a":{"constructor":{"prototype":1}}}')
    if (!parsed.ok) throw new Error(parsed.reason)
    expect(Object.keys(parsed.value ?? {})).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(parsed.value)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
  })

  it('nesting up to the limit is read, one level more is refused where it begins', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    expect(parseStrictJson(nested(receiptJsonLimits.nestingLevelsMax)).ok).toBe(true)
    expect(parseStrictJson(nested(33))).toEqual(refused('too-deep', '/0'.repeat(32)))
    expect(parseStrictJson('{"a":{"b":[1]}}', { textCharsMax: 99, nestingLevelsMax: 2 })).toEqual(
      refused('too-deep', '/a/b'),
    )
  })

  it('brackets without end overflow no stack, whatever the limit', () => {
    const brackets = '['.repeat(receiptJsonLimits.textCharsMax)
    expect(parseStrictJson(brackets)).toMatchObject({ reason: 'too-deep' })
    expect(parseStrictJson(brackets, { textCharsMax: 1e6, nestingLevelsMax: 1e6 })).toEqual(refused('syntax', ''))
    expect(parseStrictJson('{"a":'.repeat(100_000), { textCharsMax: 1e6, nestingLevelsMax: 1e6 })).toMatchObject({
      ok: false,
    })
  })

  it('a longer text than allowed is not looked at', () => {
    expect(parseStrictJson('[1]', { textCharsMax: 3, nestingLevelsMax: 1 }).ok).toBe(true)
    expect(parseStrictJson('[1] ', { textCharsMax: 3, nestingLevelsMax: 1 })).toEqual(refused('too-long', ''))
  })

  it('a pointer stays short however long the names are', () => {
    const name = 'n'.repeat(jsonPointerCharsMax)
    expect(parseStrictJson(`{"a":{"${name}":1,"${name}":1}}`)).toEqual(refused('duplicate-name', '/a'))
  })
})
