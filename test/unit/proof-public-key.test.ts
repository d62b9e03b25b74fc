import { Point } from '@noble/ed25519'
import { describe, expect, it } from 'vitest'
import { checkPublicKey } from '../../src/core/ed25519/index.js'
import { LOW_ORDER_ENCODINGS } from '../../src/core/ed25519/low-order-encodings.js'
import { encodeY, FIELD, lenientLowOrderEncodings, ORDER, torsionPoints } from './proof-curve.js'
import { hexBytes, signerOfByte } from './proof-fixtures.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const reasonOf = (bytes: Uint8Array) => {
  const result = checkPublicKey(bytes)
  return result.ok ? 'accepted' : result.reason
}

describe('the points of low order', () => {
  it('are eight, and their orders divide eight', () => {
    const points = torsionPoints()
    expect(points).toHaveLength(8)
    expect(points.every((point) => point.clearCofactor().is0())).toBe(true)
  })

  it('have exactly the 14 encodings that are listed, found by decoding every candidate leniently', () => {
    const derived = lenientLowOrderEncodings().map(hex).sort()
    expect(derived).toHaveLength(14)
    expect(LOW_ORDER_ENCODINGS.map(hex).sort()).toEqual(derived)
  })

  it.each(LOW_ORDER_ENCODINGS.map(hex))('%s is no key', (encoding) => {
    expect(reasonOf(hexBytes(encoding))).toBe('low-order')
  })
})

describe('a public key', () => {
  it('that a seed gives is accepted, and kept apart from the bytes that were passed', () => {
    const bytes = Uint8Array.from(signerOfByte(1).key.bytes)
    const result = checkPublicKey(bytes)
    if (!result.ok) throw new Error(result.reason)
    const before = hex(bytes)
    bytes.fill(0)
    expect(hex(result.key.bytes)).toBe(before)
  })

  it('with any component of low order is refused, although it lies on the curve', () => {
    const honest = Point.fromBytes(signerOfByte(2).key.bytes)
    const mixed = torsionPoints().map((torsion) => honest.add(torsion).toBytes())
    expect(mixed.map(reasonOf).sort()).toEqual(['accepted', ...Array(7).fill('mixed-order')])
  })

  it('with a y from p on is refused, whatever point a lenient decoder would read', () => {
    const onCurve: number[] = []
    for (let y = 2n; y < 19n; y += 1n) {
      expect(reasonOf(encodeY(FIELD + y, false))).toBe('not-canonical')
      expect(reasonOf(encodeY(FIELD + y, true))).toBe('not-canonical')
      if (reasonOf(encodeY(y, false)) !== 'not-on-curve') onCurve.push(Number(y))
    }
    expect(onCurve.length).toBeGreaterThan(3)
  })

  it('just below p is judged by its point, not by its size', () => {
    const reasons = [2n, 3n, 4n, 5n, 6n, 7n, 8n].map((below) => reasonOf(encodeY(FIELD - below, false)))
    expect(reasons).not.toContain('not-canonical')
    for (let at = 1n; at < 32n; at += 1n) {
      expect(reasonOf(encodeY(2n ** 255n - 1n - 2n ** (8n * at), false))).not.toBe('not-canonical')
    }
  })

  it('that is no point is refused', () => {
    const y = [2n, 3n, 4n, 5n, 6n, 7n, 8n].map((value) => encodeY(value, false))
    expect(y.map(reasonOf)).toContain('not-on-curve')
  })

  it.each([0, 31, 33, 64])('of %i bytes is refused', (length) => {
    expect(reasonOf(new Uint8Array(length).fill(1))).toBe('wrong-length')
  })

  it('the order in these tests is the order of the base point', () => {
    expect(
      Point.BASE.multiply(ORDER - 1n)
        .add(Point.BASE)
        .is0(),
    ).toBe(true)
  })
})
