import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { sha256, sha256Hex } from '../../src/platform/sha256.js'

test('the digest of a text of one call is that of a Hash object, byte for byte, whatever the bytes', () => {
  const inputs = [new Uint8Array(0), ...Array.from({ length: 2_000 }, (_, at) => new Uint8Array(randomBytes(at % 131)))]
  const seen = new Set<number>()
  for (const bytes of inputs) {
    const digest = sha256(bytes)
    expect(digest).toHaveLength(32)
    expect(Buffer.from(digest).equals(createHash('sha256').update(bytes).digest())).toBe(true)
    for (const byte of digest) seen.add(byte)
  }
  // Every byte there is came out once at least, so none is lost on the way through the text.
  expect(seen.size).toBe(256)
})

test('a part of a larger buffer is hashed alone', () => {
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
  expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(
    createHash('sha256')
      .update(Buffer.from([2, 3]))
      .digest('hex'),
  )
})

test('chunks are hashed as the text that they make', () => {
  expect(sha256Hex(['receipt', 'é'])).toBe(createHash('sha256').update('receipté').digest('hex'))
})
