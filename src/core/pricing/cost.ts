import { decimalFromPico } from './money.js'
import { PRICE_FIELDS, type PriceKind, type Prices, usdPerMillion } from './price.js'
import { inputTotal, type TokenParts } from './tokens.js'

type TokenKind = keyof TokenParts

export const COMPUTED_COST_STATUSES = ['priced', 'free', 'no_price'] as const

export interface Cost {
  /**
   * `priced`: known, exact. `free`: every price that applies is 0. `no_price`: some tokens have no known price, so
   * the cost is unknown and `pico` is 0 only for want of a number.
   */
  readonly status: (typeof COMPUTED_COST_STATUSES)[number]
  readonly pico: bigint
  /** The prices used, by the registry's own field name: USD per million tokens, exact, `"0.8"`. */
  readonly unitPrices: Readonly<Record<string, string>>
  /**
   * One line to recompute by hand; `/M` is per million tokens, `(as f)` names the price where it is not the kind's own.
   */
  readonly calculation: string
}

interface Charge {
  readonly kind: TokenKind
  readonly tokens: number
  readonly from: PriceKind
  readonly price: bigint
  readonly usdPerMillion: string
}

/**
 * Which price a kind of token takes: the first one that the model has. Cached tokens without a price of their own are
 * billed as plain input: that is what a provider without a discount does. Cache writes never are: if they are billed at
 * all they cost more than input, so a guess would be too low.
 */
const ORDINARY: Record<TokenKind, readonly PriceKind[]> = {
  input: ['input'],
  cached_input: ['cached_input', 'cache_read', 'input'],
  cache_read: ['cache_read', 'cached_input', 'input'],
  cache_write_5m: ['cache_write_5m'],
  cache_write_1h: ['cache_write_1h'],
  output: ['output'],
  reasoning: ['output_thinking', 'output'],
}

/**
 * The same above the threshold. The registry publishes long-context prices for input and output alone, so the other
 * kinds keep their ordinary price and only if they have none follow input or output. No price is ever derived from
 * another one: each must be found in the registry as it stands.
 */
const LONG_CONTEXT: Record<TokenKind, readonly PriceKind[]> = {
  input: ['input_long_context', 'input'],
  cached_input: ['cached_input', 'cache_read', 'input_long_context', 'input'],
  cache_read: ['cache_read', 'cached_input', 'input_long_context', 'input'],
  cache_write_5m: ['cache_write_5m'],
  cache_write_1h: ['cache_write_1h'],
  output: ['output_long_context', 'output'],
  reasoning: ['output_thinking', 'output_long_context', 'output'],
}

export const TOKEN_KINDS = Object.keys(ORDINARY) as TokenKind[]

/**
 * What one event cost, exactly: a sum of whole products, nothing is rounded. Kinds without tokens need no price. The
 * whole event takes long-context prices where its input (plain, cached, read and written together) is greater than the
 * threshold. Storage of caches is not part of an event. With no tokens at all the model's own prices decide the status.
 */
export function costOf(prices: Prices, parts: TokenParts): Cost {
  const charges: Charge[] = []
  const unpriced: string[] = []
  const order = isLongContext(prices, parts) ? LONG_CONTEXT : ORDINARY
  for (const kind of TOKEN_KINDS) {
    const tokens = parts[kind]
    if (tokens === 0) continue
    const charge = chargeOf(prices, kind, tokens, order[kind])
    if (charge === undefined) unpriced.push(`${tokens} ${kind}`)
    else charges.push(charge)
  }
  if (unpriced.length > 0) return unknown(`no price for ${unpriced.join(', ')}`)
  const isFree =
    charges.length > 0
      ? charges.every(({ price }) => price === 0n)
      : Object.values(prices.unit).every((price) => price === 0n)
  if (charges.length === 0 && Object.keys(prices.unit).length === 0) return unknown('no tokens, no prices')
  return known(isFree ? 'free' : 'priced', charges)
}

function isLongContext(prices: Prices, parts: TokenParts): boolean {
  const threshold = prices.longContextThresholdTokens
  return threshold !== undefined && inputTotal(parts) > threshold
}

function chargeOf(
  prices: Prices,
  kind: TokenKind,
  tokens: number,
  candidates: readonly PriceKind[],
): Charge | undefined {
  for (const from of candidates) {
    const price = prices.unit[from]
    if (price !== undefined) return { kind, tokens, from, price, usdPerMillion: usdPerMillion(price) }
  }
  return undefined
}

function known(status: 'priced' | 'free', charges: readonly Charge[]): Cost {
  let pico = 0n
  const unitPrices: Record<string, string> = {}
  for (const { tokens, price, from, usdPerMillion } of charges) {
    pico += BigInt(tokens) * price
    unitPrices[PRICE_FIELDS[from]] = usdPerMillion
  }
  return {
    status,
    pico,
    unitPrices,
    // Made when it is read: recording an event needs the sum alone.
    get calculation() {
      const terms = charges.length > 0 ? charges.map(term).join(' + ') : 'no tokens'
      return `${terms} = ${decimalFromPico(pico)} USD`
    },
  }
}

function unknown(why: string): Cost {
  return { status: 'no_price', pico: 0n, unitPrices: {}, calculation: why }
}

function term({ kind, tokens, from, usdPerMillion }: Charge): string {
  return `${tokens} ${from === kind ? kind : `${kind} (as ${from})`} x ${usdPerMillion}/M`
}
