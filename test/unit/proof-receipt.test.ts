import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/core/json/index.js'
import { readReceipt, signedBytes } from '../../src/core/proof/index.js'
import { flatReceipt, nestedReceipt } from './proof-fixtures.js'

const signature = 'ed25519:not looked at yet'
const refusal = (value: unknown) => {
  const read = readReceipt(value)
  return read.ok ? null : { reason: read.reason, id: read.id }
}

describe('a receipt', () => {
  it('of the nested shape is read with its id and the key that it names', () => {
    expect(readReceipt({ ...nestedReceipt, signature })).toEqual({
      ok: true,
      shape: 'nested',
      id: nestedReceipt.id,
      keyId: 'key-1',
      signature,
      unsigned: nestedReceipt,
    })
  })

  it('of the flat shape is read with its receipt_id and names no key', () => {
    expect(readReceipt({ ...flatReceipt, signature })).toMatchObject({
      ok: true,
      shape: 'flat',
      id: flatReceipt.receipt_id,
      keyId: null,
      unsigned: flatReceipt,
    })
  })

  it('that names no key, or null, leaves the key open', () => {
    const { key_id: _, ...unnamed } = nestedReceipt
    expect(readReceipt({ ...unnamed, signature })).toMatchObject({ ok: true, keyId: null })
    expect(readReceipt({ ...unnamed, key_id: null, signature })).toMatchObject({ ok: true, keyId: null })
  })

  it('is covered by its signature in every member but the signature, unknown ones included', () => {
    const extra = JSON.parse('{"id":"r","__proto__":{"x":1},"more":[{"signature":"inner"}],"signature":"s"}')
    const read = readReceipt(extra)
    if (!read.ok) throw new Error(read.reason)
    const covered = signedBytes(read)
    expect(covered.ok && covered.text).toBe('{"__proto__":{"x":1},"id":"r","more":[{"signature":"inner"}]}')
  })

  it('is left as it was', () => {
    const receipt = Object.freeze({ ...nestedReceipt, signature })
    const before = canonicalJson(receipt)
    readReceipt(receipt)
    expect(canonicalJson(receipt)).toEqual(before)
  })

  it.each([
    ['null', null, 'not-an-object'],
    ['a text', 'receipt', 'not-an-object'],
    ['a list', [nestedReceipt], 'not-an-object'],
    ['nothing in it', {}, 'no-id'],
    ['no id of its own', Object.create({ id: 'inherited', signature }), 'no-id'],
    ['two ids', { ...nestedReceipt, receipt_id: nestedReceipt.id, signature }, 'ambiguous-id'],
    ['an id that is a number', { id: 1, signature }, 'bad-id'],
    ['an empty id', { id: '', signature }, 'bad-id'],
    ['an id of 256 characters', { id: 'i'.repeat(256), signature }, 'bad-id'],
    ['NUL in its id', { receipt_id: 'a\0b', signature }, 'bad-id'],
    ['a line end in its id', { receipt_id: 'a\n', signature }, 'bad-id'],
    ['a C1 control in its id', { id: 'a\u0085', signature }, 'bad-id'],
    ['half a surrogate pair in its id', { id: 'a\ud800', signature }, 'bad-id'],
  ])('with or being %s is refused without an id', (_, value, reason) => {
    expect(refusal(value)).toEqual({ reason, id: null })
  })

  it.each([
    ['no signature', { id: 'r' }, 'no-signature'],
    ['a signature that is no text', { id: 'r', signature: { ed25519: 'x' } }, 'no-signature'],
    ['a signature that it inherits', Object.assign(Object.create({ signature }), { id: 'r' }), 'no-signature'],
    ['a key id that is a number', { id: 'r', key_id: 7, signature }, 'bad-key-id'],
    ['an empty key id', { id: 'r', key_id: '', signature }, 'bad-key-id'],
    ['a key id without end', { id: 'r', key_id: 'k'.repeat(256), signature }, 'bad-key-id'],
  ])('with %s is refused under its id', (_, value, reason) => {
    expect(refusal(value)).toEqual({ reason, id: 'r' })
  })

  it('may have any other id of 1 to 255 characters', () => {
    for (const id of ['x', 'i'.repeat(255), 'ünï/cöde \u{1f600}', '__proto__']) {
      expect(readReceipt({ id, signature })).toMatchObject({ ok: true, id })
    }
  })
})
