import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalFromPico, numberFromPico, picoFromDecimal, picoFromJsonNumber } from '../../src/core/pricing/index.js'

const amounts = fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n })

/** A double as whole digits and a power of ten, from its exponential form. */
function exponential(value: number): { digits: bigint; power: number } {
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential())
  if (match === null) throw new Error(`no exponential form: ${value}`)
  const [, first = '', rest = '', exponent = ''] = match
  return { digits: BigInt(first + rest), power: Number(exponent) - rest.length }
}

describe('money', () => {
  it('what is written is read back as the same amount, and has twelve places', () => {
    fc.assert(
      fc.property(amounts, (pico) => {
        const text = decimalFromPico(pico)
        expect(text).toMatch(/^-?(0|[1-9]\d*)\.\d{12}$/)
        expect(picoFromDecimal(text)).toBe(pico)
      }),
    )
  })

  it('zeros after the last place never change an amount', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 17n }), fc.integer({ min: 1, max: 11 }), (whole, places) => {
        const short = `${whole}.${'7'.repeat(places)}`
        expect(picoFromDecimal(short)).toBe(picoFromDecimal(short.padEnd(short.length + 12 - places, '0')))
      }),
    )
  })

  it('arbitrary text is either refused or means what its canonical form means', () => {
    const unit = fc.constantFrom('0', '1', '9', '.', '-', '+', 'e', ' ')
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit, maxLength: 34 })), (text) => {
        const pico = picoFromDecimal(text)
        if (pico === undefined) return
        const [whole = '', fraction = ''] = text.split('.')
        expect(decimalFromPico(pico)).toBe(`${whole}.${fraction.padEnd(12, '0')}`)
      }),
    )
  })

  it('a reported number is off by at most half a pico-dollar, and a tie goes to the even side', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ min: 0, max: 1e12, noNaN: true }),
          fc.double({ min: 0, max: 1e-9, noNaN: true }),
          fc.integer({ min: 0, max: 10_000_000 }).map((n) => Number(`${n}e-13`)),
        ),
        (usd) => {
          const result = picoFromJsonNumber(usd)
          if (!result.ok) throw new Error(result.reason)
          const { digits, power } = exponential(usd)
          // Both sides of |amount - usd| in units of 10^-340 USD, where every double is whole.
          const exact = digits * 10n ** BigInt(340 + power)
          const unit = 10n ** 328n
          const off = result.pico * unit - exact
          const twice = (off < 0n ? -off : off) * 2n
          expect(twice <= unit).toBe(true)
          if (twice === unit) expect(result.pico % 2n).toBe(0n)
        },
      ),
    )
  })

  it('the number for old clients reads back as the amount wherever a double has the digits for it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), (pico) => {
        expect(picoFromJsonNumber(numberFromPico(pico))).toEqual({ ok: true, pico })
      }),
    )
  })
})
