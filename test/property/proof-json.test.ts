import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../src/core/ed25519/index.js'
import { canonicalRuns, joinCanonical } from '../../src/core/json/canonical-json.js'
import { canonicalJson, type JsonObject, parseStrictJson } from '../../src/core/json/index.js'

const names = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', 'length', '10', '9', '', 'signature', '\u{1f600}', '\ufb33'),
)
const texts = fc.string({ unit: 'binary', maxLength: 12 })
const numbers = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => Number.isSafeInteger(n) || !Number.isInteger(n)),
)
/** Plain JSON values of which each has a canonical form. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    numbers,
    texts,
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 5 }),
  map: fc.array(fc.tuple(names, tie('value')), { maxLength: 6 }).map((members) => {
    const map = {}
    for (const [name, value] of members) {
      Object.defineProperty(map, name, { value, enumerable: true, writable: true, configurable: true })
    }
    return map
  }),
})).value

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

/** RFC 8785 section 3.2.2.2, character by character. */
function referenceString(text: string): string {
  const written = Array.from(text, (char) => {
    if (char >= ' ' && char !== '"' && char !== '\\') return char
    return SHORT_ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return `"${written.join('')}"`
}

function compareCodeUnits(a: string, b: string): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a.charCodeAt(at) !== b.charCodeAt(at)) return a.charCodeAt(at) - b.charCodeAt(at)
  }
  return a.length - b.length
}

/** RFC 8785 in its simplest words: the oracle. */
function referenceJcs(value: unknown): string {
  if (typeof value === 'string') return referenceString(value)
  if (Array.isArray(value)) return `[${value.map(referenceJcs).join(',')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).sort(([a], [b]) => compareCodeUnits(a, b))
  return `{${members.map(([name, member]) => `${referenceString(name)}:${referenceJcs(member)}`).join(',')}}`
}

/** A JSON text of the value with whitespace and needless escapes at random places. */
function spell(value: unknown, random: () => number): string {
  const gap = () => ['', '', ' ', '\n\t'][random() % 4] ?? ''
  const string = (text: string) => {
    const units = text.split('').map((unit) => {
      const code = unit.charCodeAt(0)
      const mustEscape = code < 0x20 || unit === '"' || unit === '\\'
      return mustEscape || random() % 3 === 0 ? `\\u${code.toString(16).padStart(4, '0')}` : unit
    })
    return `"${units.join('')}"`
  }
  const write = (item: unknown): string => {
    if (typeof item === 'string') return string(item)
    if (Array.isArray(item)) return `[${gap()}${item.map(write).join(`${gap()},${gap()}`)}${gap()}]`
    if (typeof item !== 'object' || item === null) return JSON.stringify(item)
    const members = Object.entries(item).map(([name, member]) => `${string(name)}${gap()}:${gap()}${write(member)}`)
    return `{${gap()}${members.join(`${gap()},${gap()}`)}${gap()}}`
  }
  return write(value)
}

/** A cheap stream of numbers from one seed. */
function stream(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
}

const hasNul = (value: unknown) => JSON.stringify(value).includes('\\u0000')

describe('canonical JSON', () => {
  it('is what RFC 8785 says of every plain value', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = referenceJcs(value)
        expect(canonicalize(value)).toBe(text)
        expect(canonicalJson(value)).toEqual({ ok: true, text, bytes: new TextEncoder().encode(text) })
      }),
      { numRuns: 500 },
    )
  })

  it('is the same for every spelling and order of one value, and reads back as that value', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, seed) => {
        fc.pre(!hasNul(value))
        const parsed = parseStrictJson(spell(value, stream(seed)))
        const once = canonicalJson(value)
        expect(parsed.ok && canonicalJson(parsed.value)).toEqual(once)
        const again = once.ok ? parseStrictJson(once.text) : null
        expect(again?.ok && canonicalJson(again.value)).toEqual(once)
      }),
      { numRuns: 300 },
    )
  })
})

describe('canonical runs', () => {
  it('are, around any name, the canonical form with and without that member', () => {
    fc.assert(
      fc.property(fc.dictionary(names, values), names, values, (others, name, value) => {
        const { [name]: _, ...without } = others as JsonObject
        const split = canonicalRuns(without, [name])
        if (!split.ok) throw new Error(split.reason)
        const [before = '', after = ''] = split.runs
        expect(joinCanonical(before, after)).toEqual(canonicalJson(without))
        const run = referenceJcs({ [name]: value }).slice(1, -1)
        expect(joinCanonical(before, run, after)).toEqual(canonicalJson({ ...without, [name]: value }))
      }),
      { numRuns: 300 },
    )
  })

  it('are as many as there are names and one more, and leave the members of those names out', () => {
    fc.assert(
      fc.property(fc.dictionary(names, values), fc.uniqueArray(names, { maxLength: 4 }), (members, some) => {
        const between = some.toSorted()
        const split = canonicalRuns(members as JsonObject, between)
        if (!split.ok) throw new Error(split.reason)
        expect(split.runs).toHaveLength(between.length + 1)
        const left = Object.fromEntries(Object.entries(members).filter(([name]) => !between.includes(name)))
        expect(joinCanonical(...split.runs)).toEqual(canonicalJson(left))
      }),
      { numRuns: 300 },
    )
  })
})

describe('strict JSON', () => {
  it('reads every spelling of a value as JSON.parse does, but for NUL', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, seed) => {
        const text = spell(value, stream(seed))
        const parsed = parseStrictJson(text)
        if (hasNul(value)) expect(parsed).toMatchObject({ ok: false, reason: 'nul-character' })
        else expect(parsed).toEqual({ ok: true, value: JSON.parse(text) })
      }),
      { numRuns: 300 },
    )
  })

  it('finds a second member of the same name wherever it stands and however it is spelt', () => {
    const wrap = fc.array(fc.constantFrom('list', 'map'), { maxLength: 6 })
    const safeName = names.filter((name) => !name.includes('\0'))
    fc.assert(
      fc.property(safeName, wrap, fc.nat(), values, values, (name, path, seed, first, second) => {
        fc.pre(!hasNul([first, second]))
        const random = stream(seed)
        const member = (value: unknown) => spell({ [name]: value }, random).slice(1, -1)
        const twice = `{${member(first)},${member(second)}}`
        const text = path.reduce((inner, kind) => (kind === 'list' ? `[1,${inner}]` : `{"w":${inner}}`), twice)
        expect(parseStrictJson(text)).toMatchObject({ ok: false, reason: 'duplicate-name' })
      }),
      { numRuns: 300 },
    )
  })

  it('takes nothing that JSON.parse refuses, whatever the text', () => {
    const scraps = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '"a"',
        '"b":',
        '1',
        '-',
        'e5',
        'null',
        ' ',
        '\\u0061',
        '\ud800',
      ),
      { maxLength: 14 },
    )
    fc.assert(
      fc.property(scraps, (parts) => {
        const text = parts.join('')
        const parsed = parseStrictJson(text)
        if (parsed.ok) expect(parsed.value).toEqual(JSON.parse(text))
        else if (parsed.reason === 'syntax') expect(() => JSON.parse(text)).toThrow(SyntaxError)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('base64url', () => {
  it('gives every byte string one text, and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(decodeBase64url(text)).toEqual(bytes)
      }),
    )
  })

  it('takes a text only if it is the one that its bytes would get', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgwZ9-_+/= '), maxLength: 12 }), (text) => {
        const bytes = decodeBase64url(text)
        const lenient = Buffer.from(text, 'base64url').toString('base64url')
        expect(bytes === null).toBe(lenient !== text)
      }),
      { numRuns: 1_000 },
    )
  })
})
