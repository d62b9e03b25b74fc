import { describe, expect, it } from 'vitest'
import { parseCanonicalBytes, parseJsonBytes } from '../../src/core/json/index.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const refused = (reason: string, pointer = '') => ({ ok: false, reason, pointer })

describe('a JSON file', () => {
  it('is read in whatever spelling', () => {
    expect(parseJsonBytes(utf8(' {"b":1.0, "a":"\\u0061"}\n'))).toEqual({ ok: true, value: { b: 1, a: 'a' } })
  })

  it.each([
    ['a byte that no UTF-8 has', Uint8Array.of(0x22, 0xff, 0x22)],
    ['an overlong slash', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22)],
    ['half a surrogate pair in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['a character that is cut off', Uint8Array.of(0x22, 0xe2, 0x82)],
  ])('with %s is refused, not repaired', (_, bytes) => {
    expect(parseJsonBytes(bytes)).toEqual(refused('not-utf8'))
  })

  it('with a byte order mark is refused', () => {
    expect(parseJsonBytes(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toEqual(refused('syntax'))
  })

  it('with a name that comes twice is refused', () => {
    expect(parseJsonBytes(utf8('{"a":{"b":1,"b":1}}'))).toEqual(refused('duplicate-name', '/a/b'))
  })
})

describe('a file that is claimed to be canonical', () => {
  it('is read where its bytes are the RFC 8785 bytes of what it says', () => {
    const text = '{"a":[1,0.5,"€"],"b":{}}'
    expect(parseCanonicalBytes(utf8(text))).toEqual({ ok: true, value: JSON.parse(text) })
  })

  it.each([
    '[1.0]',
    '[1e0]',
    '[-0]',
    '[0.10]',
    '["\\u0061"]',
    '["\\/"]',
    '["\\u000A"]',
    '[1, 2]',
    '[1]\n',
    '{"b":1,"a":1}',
    '["\\u20ac"]',
  ])('%s is another spelling and refused', (text) => {
    expect(parseCanonicalBytes(utf8(text))).toEqual(refused('not-canonical'))
  })

  it('is refused for what has no canonical form, and for what is no strict JSON', () => {
    expect(parseCanonicalBytes(utf8('{"a":9007199254740993}'))).toEqual(refused('unsafe-integer', '/a'))
    expect(parseCanonicalBytes(utf8('{"a":1,"a":1}'))).toEqual(refused('duplicate-name', '/a'))
    expect(parseCanonicalBytes(Uint8Array.of(0xff))).toEqual(refused('not-utf8'))
  })
})
