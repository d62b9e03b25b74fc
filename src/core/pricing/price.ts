import { shortestDecimal } from './money.js'

/** The prices that we know of, and the registry's field for each: USD per million tokens (storage: and per hour). */
export const PRICE_FIELDS = {
  input: 'dollars_per_million_tokens_input',
  output: 'dollars_per_million_tokens_output',
  cached_input: 'dollars_per_million_tokens_cached_input',
  cache_read: 'dollars_per_million_tokens_cache_read',
  cache_write_5m: 'dollars_per_million_tokens_cache_write_5m',
  cache_write_1h: 'dollars_per_million_tokens_cache_write_1h',
  input_long_context: 'dollars_per_million_tokens_input_long_context',
  output_long_context: 'dollars_per_million_tokens_output_long_context',
  output_thinking: 'dollars_per_million_tokens_output_thinking',
  cache_storage_per_hour: 'cache_storage_cost_per_million_tokens_per_hour',
} as const

export type PriceKind = keyof typeof PRICE_FIELDS

/** What one model costs. `unit` is in pico-USD per token; an absent member is an unknown price, 0n costs nothing. */
export interface Prices {
  readonly unit: Readonly<Partial<Record<PriceKind, bigint>>>
  readonly longContextThresholdTokens?: number
}

/** USD per million tokens with six places is a whole number of pico-USD per token; with more it is not. */
const pricePlacesMax = 6
/** A dollar a token. With `tokensPerKindMax` it keeps every cost inside `NUMERIC(30,12)`. */
const priceUsdPerMillionMax = 1_000_000
const longContextThresholdTokensMax = 1_000_000_000_000

const PRICE_KINDS = Object.keys(PRICE_FIELDS) as PriceKind[]

/**
 * The prices in one model entry of a provider file (parsed JSON of any shape; fields come and go between versions).
 * A price counts only where it is a finite number from 0 to 1,000,000 USD per million tokens with at most six decimals:
 * anything else (null, text, negative, too fine) is absent, never 0.
 */
export function readPrices(model: unknown): Prices {
  if (typeof model !== 'object' || model === null) return { unit: {} }
  const fields: Readonly<Record<string, unknown>> = { ...model }
  const unit: Partial<Record<PriceKind, bigint>> = {}
  for (const kind of PRICE_KINDS) {
    const price = picoPerToken(fields[PRICE_FIELDS[kind]])
    if (price !== undefined) unit[kind] = price
  }
  const threshold = fields['long_context_threshold_tokens']
  return isThreshold(threshold) ? { unit, longContextThresholdTokens: threshold } : { unit }
}

/** A price per token, in pico-USD, as USD per million tokens without needless zeros: 800,000n is `"0.8"`. Exact. */
export function usdPerMillion(picoPerToken: bigint): string {
  const digits = picoPerToken.toString().padStart(pricePlacesMax + 1, '0')
  const point = digits.length - pricePlacesMax
  let end = digits.length
  while (end > point && digits[end - 1] === '0') end -= 1
  return end === point ? digits.slice(0, point) : `${digits.slice(0, point)}.${digits.slice(point, end)}`
}

/**
 * The largest whole price per token, in pico-USD, that is no more than so many USD per million tokens. Prices per token
 * are whole, so a price is within the amount exactly if it is within this one. Refused: NaN, infinities, below 0.
 */
export function picoPerTokenAtMost(usdPerMillion: number): bigint | undefined {
  if (!Number.isFinite(usdPerMillion) || usdPerMillion < 0) return undefined
  const { digits, places } = shortestDecimal(usdPerMillion)
  if (places <= pricePlacesMax) return digits * 10n ** BigInt(pricePlacesMax - places)
  return digits / 10n ** BigInt(places - pricePlacesMax)
}

function picoPerToken(price: unknown): bigint | undefined {
  if (typeof price !== 'number' || !(price >= 0 && price <= priceUsdPerMillionMax)) return undefined
  const { digits, places } = shortestDecimal(price)
  return places <= pricePlacesMax ? digits * 10n ** BigInt(pricePlacesMax - places) : undefined
}

function isThreshold(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= longContextThresholdTokensMax
}
