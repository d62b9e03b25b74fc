import { describe, expect, it } from 'vitest'
import { canonicalRuns, joinCanonical } from '../../src/core/json/canonical-json.js'
import { canonicalBytesMax, canonicalJson } from '../../src/core/json/index.js'

const refused = (reason: string, pointer: string) => ({ ok: false, reason, pointer })

function double(bits: string): number {
  return Buffer.from(bits, 'hex').readDoubleBE()
}

function textOf(value: unknown): string {
  const result = canonicalJson(value)
  return result.ok ? result.text : `refused: ${result.reason} ${result.pointer}`
}

describe('the samples of RFC 8785', () => {
  it('section 3.2.2: literals, strings and numbers are written in their one form', () => {
    const sample = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`)
    // The one thing in it that has no place here: an integer that most readers would round.
    expect(canonicalJson(sample)).toEqual(refused('unsafe-integer', '/numbers/1'))
    sample.numbers.splice(1, 1)
    expect(textOf(sample)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('section 3.2.3: names are sorted by UTF-16 code units', () => {
    const sample = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    expect(textOf(sample)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","\u{1f600}":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    )
  })

  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('appendix B: the double %s is written %s', (bits, text) => {
    expect(textOf(double(bits))).toBe(text)
  })

  it.each([
    ['7fefffffffffffff', 'unsafe-integer'],
    ['ffefffffffffffff', 'unsafe-integer'],
    ['4340000000000000', 'unsafe-integer'],
    ['c340000000000000', 'unsafe-integer'],
    ['4430000000000000', 'unsafe-integer'],
    ['44b52d02c7e14af5', 'unsafe-integer'],
    ['444b1ae4d6e2ef50', 'unsafe-integer'],
    ['7fffffffffffffff', 'non-finite-number'],
    ['7ff0000000000000', 'non-finite-number'],
    ['fff0000000000000', 'non-finite-number'],
  ])('appendix B: the double %s is refused here as %s', (bits, reason) => {
    expect(canonicalJson({ n: [double(bits)] })).toEqual(refused(reason, '/n/0'))
  })
})

describe('the guard before the canonical form', () => {
  it('the largest safe integers are written, the next ones refused', () => {
    expect(textOf([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])).toBe('[9007199254740991,-9007199254740991]')
    expect(canonicalJson(JSON.parse('{"tokens":{"input":9007199254740993}}'))).toEqual(
      refused('unsafe-integer', '/tokens/input'),
    )
  })

  it('negative zero is the number zero', () => {
    expect(textOf([-0])).toBe('[0]')
  })

  const holey: unknown[] = [1, 2, 3]
  delete holey[1]
  class Odd {
    readonly a = 1
  }
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic

  it.each<[string, unknown, string, string]>([
    ['undefined', undefined, 'not-json', ''],
    ['an undefined member', { a: undefined }, 'not-json', '/a'],
    ['an undefined item', [1, undefined], 'not-json', '/1'],
    ['a hole', holey, 'not-json', '/1'],
    ['an array of nothing but holes', new Array(4_294_967_295), 'too-large', ''],
    ['a function', { a: () => 1 }, 'not-json', '/a'],
    ['a symbol', [Symbol('a')], 'not-json', '/0'],
    ['a bigint', { a: { b: 1n } }, 'not-json', '/a/b'],
    ['a toJSON of its own', { a: { toJSON: () => 'x' } }, 'not-json', '/a/toJSON'],
    ['a Date', { a: new Date(0) }, 'not-plain', '/a'],
    ['a Map', new Map([['a', 1]]), 'not-plain', ''],
    ['bytes', [new Uint8Array(2)], 'not-plain', '/0'],
    ['a boxed string', [Object('a')], 'not-plain', '/0'],
    ['an instance of a class', { a: new Odd() }, 'not-plain', '/a'],
    ['an object with a prototype of its own', Object.create({ inherited: 1 }), 'not-plain', ''],
    ['an array of another class', [new (class extends Array {})()], 'not-plain', '/0'],
    ['a value that holds itself', cyclic, 'too-deep', '/self'.repeat(32)],
    ['half a surrogate pair', { a: 'x\ud800' }, 'lone-surrogate', '/a'],
    ['half a surrogate pair in a name', { a: { 'x\udc00': 1 } }, 'lone-surrogate', '/a'],
    ['NaN', [Number.NaN], 'non-finite-number', '/0'],
    ['an infinity', { a: Number.NEGATIVE_INFINITY }, 'non-finite-number', '/a'],
  ])('%s is refused', (_, value, reason, pointer) => {
    expect(canonicalJson(value)).toEqual(refused(reason, pointer))
  })

  it('an own member named __proto__ is written like any other', () => {
    const value = JSON.parse('{"b":1,"__proto__":{"a":1},"constructor":2}')
    expect(textOf(value)).toBe('{"__proto__":{"a":1},"b":1,"constructor":2}')
  })

  it('a toJSON that somebody put on every object is not called', () => {
    const plant = (owner: object) =>
      Object.defineProperty(owner, 'toJSON', { value: () => 'forged', configurable: true, writable: true })
    plant(Object.prototype)
    try {
      expect(textOf({ a: { b: 1 } })).toBe('{"a":{"b":1}}')
      expect(textOf({ a: [1] })).toBe('refused: not-plain /a')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'toJSON')
    }
  })

  it('a member that changes with each reading is read once', () => {
    let reads = 0
    const shifty = Object.defineProperty({}, 'a', { enumerable: true, get: () => (reads++ === 0 ? 1 : Number.NaN) })
    expect(textOf(shifty)).toBe('{"a":1}')
    expect(reads).toBe(1)
  })

  it('32 levels are written and 33 refused', () => {
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels - 1)}[]${'}'.repeat(levels - 1)}`)
    expect(canonicalJson(nested(32)).ok).toBe(true)
    expect(canonicalJson(nested(33))).toEqual(refused('too-deep', '/a'.repeat(32)))
  })

  it('65,535 bytes are written and 65,536 refused, counted in UTF-8', () => {
    const ascii = canonicalJson('a'.repeat(canonicalBytesMax - 2))
    expect(ascii.ok && ascii.bytes.length).toBe(65_535)
    expect(canonicalJson('a'.repeat(canonicalBytesMax - 1))).toEqual(refused('too-large', ''))
    const euros = '€'.repeat(21_844)
    const wide = canonicalJson(`${euros}a`)
    expect(wide.ok && wide.bytes.length).toBe(65_535)
    expect(canonicalJson(`${euros}aa`)).toEqual(refused('too-large', ''))
    expect(canonicalJson('\u0001'.repeat(11_000))).toEqual(refused('too-large', ''))
  })

  it('a value that shares its parts 2^31 times is refused before it is unfolded', () => {
    let shared: unknown = []
    for (let level = 0; level < 31; level += 1) shared = [shared, shared]
    expect(canonicalJson(shared)).toMatchObject({ ok: false, reason: 'too-large' })
  })
})

describe('canonical runs', () => {
  const value = JSON.parse('{"z":[1,{"b":2,"a":1}],"10":0,"9":0,"é":"\\u000f","__proto__":null,"signature":"s","":""}')

  it('put together again around a member they are the canonical form of the whole', () => {
    const split = canonicalRuns(value, ['signature'])
    if (!split.ok) throw new Error(split.reason)
    const [before = '', after = ''] = split.runs
    expect(joinCanonical(before, '"signature":"s"', after)).toEqual(canonicalJson(value))
    const { signature: _, ...without } = value
    expect(joinCanonical(before, after)).toEqual(canonicalJson(without))
  })

  it('may all be empty', () => {
    expect(canonicalRuns({ signature: 's' }, ['signature'])).toEqual({ ok: true, runs: ['', ''] })
    expect(joinCanonical('', '')).toEqual(canonicalJson({}))
  })

  it('no object, no runs', () => {
    expect(canonicalRuns(JSON.parse('[1]'), ['a'])).toEqual(refused('not-json', ''))
    expect(canonicalRuns({ a: 0, b: Number.NaN }, ['a'])).toEqual(refused('non-finite-number', '/b'))
    expect(canonicalRuns({ a: Number.NaN, b: 0 }, ['b'])).toEqual(refused('non-finite-number', '/a'))
  })
})
