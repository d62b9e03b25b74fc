import { describe, expect, it } from 'vitest'
import { base64urlBytesMax, decodeBase64url, encodeBase64url } from '../../src/core/ed25519/index.js'

const ascii = (text: string) => new TextEncoder().encode(text)

describe('base64url', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('%j has the spelling that RFC 4648 gives it, without padding', (text, encoded) => {
    expect(encodeBase64url(ascii(text))).toBe(encoded)
    expect(decodeBase64url(encoded)).toEqual(ascii(text))
  })

  it('the last two characters of the alphabet are - and _', () => {
    expect(encodeBase64url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe('-__-')
    expect(decodeBase64url('-__-')).toEqual(Uint8Array.of(0xfb, 0xff, 0xfe))
  })

  it.each([
    ['padding', 'Zg=='],
    ['the alphabet of plain base64', '+//+'],
    ['a space inside', 'Zm 9v'],
    ['a line end', 'Zm9v\n'],
    ['a length that no bytes have', 'Zm9vY'],
    ['one character', 'Z'],
    ['a character beyond ASCII', 'Zm9Ö'],
    ['a character beyond 16 bits', 'Zm\u{1f600}'],
    ['a control character', 'Zm9\0'],
  ])('%s is refused', (_, text) => {
    expect(decodeBase64url(text)).toBeNull()
  })

  it('of all texts that lenient decoders read as one byte, one is taken', () => {
    const spellings = Array.from(
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
      (last) => `Z${last}`,
    )
    const lenient = spellings.filter((text) => Buffer.from(text, 'base64url').equals(Buffer.from('f')))
    expect(lenient).toHaveLength(16)
    expect(lenient.filter((text) => decodeBase64url(text) !== null)).toEqual(['Zg'])
  })

  it('more bytes than the caller allows are refused, just as many are not', () => {
    expect(decodeBase64url('Zm9v', 3)).toEqual(ascii('foo'))
    expect(decodeBase64url('Zm9v', 2)).toBeNull()
    expect(decodeBase64url(encodeBase64url(new Uint8Array(base64urlBytesMax)))).toHaveLength(base64urlBytesMax)
    expect(decodeBase64url(encodeBase64url(new Uint8Array(base64urlBytesMax + 1)))).toBeNull()
  })
})
