/** The most that one receipt may say a call cost, in US dollars. */
export const receiptAmountUsdMax = 1_000_000_000_000

/** Longest text of an amount that is read. */
export const receiptAmountCharsMax = 64

/** Places behind the point in every amount that we issue: pico-USD, in which each price per token is whole. */
const places = 12
/** A JSON number (RFC 8259 section 6), so that number and string are read alike; no double needs a longer exponent. */
const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

export type AmountFault = 'not-a-decimal' | 'negative' | 'too-large'

export type AmountResult =
  | { readonly ok: true; readonly amount: string }
  | { readonly ok: false; readonly reason: AmountFault }

/**
 * A client's amount of US dollars as the decimal string that we sign, `"0.000270000000"`: exactly 12 places, rounded
 * half-even. A number stands for the shortest decimal that reads back as the same double (ECMA-262 Number::toString); a
 * string is a decimal in JSON's grammar, exponent included. Refused: below zero (-0 is zero) and above 10^12.
 */
export function toReceiptAmount(usd: string | number): AmountResult {
  const text = String(usd)
  const match = text.length > receiptAmountCharsMax ? null : DECIMAL.exec(text)
  if (match === null) return { ok: false, reason: 'not-a-decimal' }
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  if (sign === '-' && digits > 0n) return { ok: false, reason: 'negative' }
  const pico = roundHalfEven(digits, fraction.length - Number(exponent) - places)
  return pico === null ? { ok: false, reason: 'too-large' } : { ok: true, amount: format(pico) }
}

/** digits × 10^-excess as a whole number of pico-USD; null above the maximum, which is met before rounding. */
function roundHalfEven(digits: bigint, excess: number): bigint | null {
  const most = BigInt(receiptAmountUsdMax) * 10n ** BigInt(places)
  const scaled = excess < 0 ? digits * 10n ** BigInt(-excess) : digits
  const unit = excess < 0 ? 1n : 10n ** BigInt(excess)
  if (scaled > most * unit) return null
  const floor = scaled / unit
  const twiceRest = (scaled % unit) * 2n
  return twiceRest > unit || (twiceRest === unit && floor % 2n === 1n) ? floor + 1n : floor
}

function format(pico: bigint): string {
  const digits = pico.toString().padStart(places + 1, '0')
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`
}
