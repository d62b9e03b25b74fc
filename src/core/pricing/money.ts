/**
 * Money is a bigint of pico-USD (a millionth of a millionth of a US dollar), the unit in which every price per token
 * is whole. It meets a double in two places only: `picoFromJsonNumber` on its way in, `numberFromPico` on its way out.
 */

/** Twelve places: what `NUMERIC(30,12)` keeps behind the point. It keeps 18 digits before it. */
export const usdPlaces = 12
const PLAIN_DECIMAL = /^(-?)(0|[1-9]\d{0,17})(?:\.(\d{1,12}))?$/
const UNSIGNED_DECIMAL = /^(0|[1-9]\d{0,12})(?:\.(\d{1,32}))?$/

/** The largest cost that a client may report for one event, in USD. */
export const reportedCostUsdMax = 1_000_000_000_000

/** A finite decimal: `digits` × 10^-`places`. `places` is negative for numbers such as 1e21. */
export interface Decimal {
  readonly digits: bigint
  readonly places: number
}

export type MoneyResult =
  | { readonly ok: true; readonly pico: bigint }
  | { readonly ok: false; readonly reason: 'not-a-number' | 'negative' | 'too-large' }

/**
 * Pico-USD of a plain decimal of US dollars: `-?digits[.1 to 12 digits]`, at most 18 digits before the point, no plus,
 * no exponent, no needless zeros in front, no negative zero. Anything else is `undefined`.
 */
export function picoFromDecimal(text: string): bigint | undefined {
  const match = PLAIN_DECIMAL.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = ''] = match
  const pico = BigInt(whole + fraction.padEnd(usdPlaces, '0'))
  if (sign !== '-') return pico
  return pico === 0n ? undefined : -pico
}

/** US dollars with exactly 12 places, `"0.054399000000"`; a negative amount (a delta) has a leading minus. */
export function decimalFromPico(pico: bigint): string {
  const digits = (pico < 0n ? -pico : pico).toString().padStart(usdPlaces + 1, '0')
  return `${pico < 0n ? '-' : ''}${digits.slice(0, -usdPlaces)}.${digits.slice(-usdPlaces)}`
}

/**
 * Pico-USD of a JSON number of US dollars: the shortest decimal that reads back as the same double (ECMA-262
 * Number::toString), rounded half-even to 12 places. Refused: NaN, infinities, below 0, above `reportedCostUsdMax`.
 */
export function picoFromJsonNumber(usd: number): MoneyResult {
  if (!Number.isFinite(usd)) return { ok: false, reason: 'not-a-number' }
  if (usd < 0) return { ok: false, reason: 'negative' }
  if (usd > reportedCostUsdMax) return { ok: false, reason: 'too-large' }
  return { ok: true, pico: scaledHalfEven(shortestDecimal(usd), usdPlaces) }
}

/**
 * Pico-USD of a decimal of US dollars that came as a string: exact, rounded half-even to 12 places. One spelling only:
 * no sign, no exponent, no blanks, no needless zeros in front. Refused: other texts, above `reportedCostUsdMax`.
 */
export function picoFromDecimalText(usd: string): MoneyResult {
  const match = UNSIGNED_DECIMAL.exec(usd)
  if (match === null) return { ok: false, reason: 'not-a-number' }
  const [, whole = '', fraction = ''] = match
  const decimal = { digits: BigInt(whole + fraction), places: fraction.length }
  const most = BigInt(reportedCostUsdMax) * 10n ** BigInt(decimal.places)
  if (decimal.digits > most) return { ok: false, reason: 'too-large' }
  return { ok: true, pico: scaledHalfEven(decimal, usdPlaces) }
}

/** The double nearest to the amount in US dollars: for clients that read a cost as a number, never to compute with. */
export function numberFromPico(pico: bigint): number {
  // Reading a decimal rounds once and correctly; dividing two doubles would round twice.
  return Number(decimalFromPico(pico))
}

/** The shortest decimal of a finite number >= 0: what a person who wrote the JSON meant by it. */
export function shortestDecimal(value: number): Decimal {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), places: fraction.length - Number(exponent) }
}

function scaledHalfEven({ digits, places }: Decimal, target: number): bigint {
  if (places <= target) return digits * 10n ** BigInt(target - places)
  const divisor = 10n ** BigInt(places - target)
  const floor = digits / divisor
  const twiceRest = (digits % divisor) * 2n
  const up = twiceRest > divisor || (twiceRest === divisor && floor % 2n === 1n)
  return up ? floor + 1n : floor
}
