import { decimalFromPico, usdPlaces } from './money.js'

/** The most that one receipt may say a call cost, in US dollars. */
const receiptAmountUsdMax = 1_000_000_000_000

/** Longest text of an amount that is read. */
const receiptAmountCharsMax = 64

/** A JSON number (RFC 8259 section 6), so that number and string are read alike; no double needs a longer exponent. */
const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

/**
 * What computing in doubles adds: a number that is this close to 12 places, as a part of itself (2^-48: 16 times the
 * spacing of doubles), means the amount of 12 places.
 */
const doubleNoiseBits = 48n

export type AmountFault = 'not-a-decimal' | 'negative' | 'too-large' | 'too-many-places'

export type AmountResult =
  | { readonly ok: true; readonly amount: string }
  | { readonly ok: false; readonly reason: AmountFault }

/**
 * A client's amount of US dollars as the decimal string that we sign, `"0.000270000000"`: exactly 12 places. A string
 * is a decimal in JSON's grammar, exponent included, and never rounded: what needs more places is refused. A number
 * stands for the shortest decimal that reads back as the same double (ECMA-262 Number::toString); only the noise of
 * doubles is taken off it, so 0.1 + 0.2 is 0.3 and 1e-13 is refused. Refused, too: below zero (-0 is zero) and above
 * 10^12.
 */
export function toReceiptAmount(usd: string | number): AmountResult {
  const text = String(usd)
  const match = text.length > receiptAmountCharsMax ? null : DECIMAL.exec(text)
  if (match === null) return { ok: false, reason: 'not-a-decimal' }
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  if (sign === '-' && digits > 0n) return { ok: false, reason: 'negative' }
  return inPicoDollars(digits, fraction.length - Number(exponent) - usdPlaces, typeof usd === 'number')
}

/** digits × 10^-excess pico-USD. The maximum is met before rounding. */
function inPicoDollars(digits: bigint, excess: number, isDouble: boolean): AmountResult {
  const most = BigInt(receiptAmountUsdMax) * 10n ** BigInt(usdPlaces)
  const scaled = excess < 0 ? digits * 10n ** BigInt(-excess) : digits
  const unit = excess < 0 ? 1n : 10n ** BigInt(excess)
  if (scaled > most * unit) return { ok: false, reason: 'too-large' }
  const nearest = (2n * scaled + unit) / (2n * unit)
  const error = nearest * unit - scaled
  const isNoise = isDouble && (error < 0n ? -error : error) << doubleNoiseBits <= scaled
  if (error !== 0n && !isNoise) return { ok: false, reason: 'too-many-places' }
  return { ok: true, amount: decimalFromPico(nearest) }
}
