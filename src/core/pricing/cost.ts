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
  readonly from: PriceKind
  readonly price: bigint
  readonly usdPerMillion: string
}

/** All of a cost that does not depend on how many tokens there are, only on of which kinds there are any. */
interface Tariff {
  readonly status: (typeof COMPUTED_COST_STATUSES)[number]
  readonly charges: readonly Charge[]
  readonly unpriced: readonly TokenKind[]
  readonly unitPrices: Readonly<Record<string, string>>
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
  const { status, charges, unpriced, unitPrices } = tariffOf(prices, parts)
  if (status === 'no_price') {
    const why = unpriced.map((kind) => `${parts[kind]} ${kind}`).join(', ')
    return unknown(why === '' ? 'no tokens, no prices' : `no price for ${why}`)
  }
  let pico = 0n
  for (const { kind, price } of charges) pico += BigInt(parts[kind]) * price
  return {
    status,
    pico,
    unitPrices,
    // Made when it is read: recording an event needs the sum alone.
    get calculation() {
      const terms = charges.length > 0 ? charges.map((charge) => term(charge, parts)).join(' + ') : 'no tokens'
      return `${terms} = ${decimalFromPico(pico)} USD`
    },
  }
}

/** Of each model's prices by the kinds that have tokens: most events are of one or two sorts. */
const tariffs = new WeakMap<Prices, Map<number, Tariff>>()

function tariffOf(prices: Prices, parts: TokenParts): Tariff {
  const isLong = isLongContext(prices, parts)
  let sort = isLong ? 1 : 0
  for (const kind of TOKEN_KINDS) sort = 2 * sort + (parts[kind] > 0 ? 1 : 0)
  const known = tariffs.get(prices) ?? new Map<number, Tariff>()
  let tariff = known.get(sort)
  if (tariff === undefined) {
    const kinds = TOKEN_KINDS.filter((kind) => parts[kind] > 0)
    tariff = makeTariff(prices, kinds, isLong ? LONG_CONTEXT : ORDINARY)
    tariffs.set(prices, known.set(sort, tariff))
  }
  return tariff
}

function makeTariff(
  prices: Prices,
  kinds: readonly TokenKind[],
  order: Readonly<Record<TokenKind, readonly PriceKind[]>>,
): Tariff {
  const found = kinds.map((kind) => chargeOf(prices, kind, order[kind]) ?? kind)
  const charges = found.filter((one) => typeof one !== 'string')
  const unpriced = found.filter((one) => typeof one === 'string')
  const unitPrices: Record<string, string> = {}
  for (const { from, usdPerMillion } of charges) unitPrices[PRICE_FIELDS[from]] = usdPerMillion
  const applying = charges.length > 0 ? charges.map(({ price }) => price) : Object.values(prices.unit)
  const isUnknown = unpriced.length > 0 || applying.length === 0
  const status = isUnknown ? 'no_price' : applying.every((price) => price === 0n) ? 'free' : 'priced'
  return { status, charges, unpriced, unitPrices: Object.freeze(unitPrices) }
}

function isLongContext(prices: Prices, parts: TokenParts): boolean {
  const threshold = prices.longContextThresholdTokens
  return threshold !== undefined && inputTotal(parts) > threshold
}

function chargeOf(prices: Prices, kind: TokenKind, candidates: readonly PriceKind[]): Charge | undefined {
  for (const from of candidates) {
    const price = prices.unit[from]
    if (price !== undefined) return { kind, from, price, usdPerMillion: usdPerMillion(price) }
  }
  return undefined
}

function unknown(why: string): Cost {
  return { status: 'no_price', pico: 0n, unitPrices: {}, calculation: why }
}

function term({ kind, from, usdPerMillion }: Charge, parts: TokenParts): string {
  return `${parts[kind]} ${from === kind ? kind : `${kind} (as ${from})`} x ${usdPerMillion}/M`
}
