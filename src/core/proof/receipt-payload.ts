import { hasLoneSurrogate } from '../json/index.js'
import { type AmountFault, toReceiptAmount } from '../pricing/index.js'

/** Characters (UTF-16 code units) of a free text such as `lock_digest`, and of the human-readable calculation. */
export const receiptTextCharsMax = 255
export const receiptCalculationCharsMax = 4_096

/** Members of `tokens` and of `cost.unit_prices`. */
export const receiptCountersMax = 32

const COUNTER_NAME = /^[a-z][a-z0-9_]{0,63}$/
const UNIT_PRICE = /^(0|[1-9]\d{0,17})(\.\d{1,12})?$/

/** What a client says about its call, in the words of the wire: parsed, and `null` members left out. */
export interface ReceiptPayload {
  readonly id?: string | undefined
  readonly timestamp?: string | undefined
  readonly key_id?: string | undefined
  readonly registry_version: string
  readonly provider?: string | undefined
  readonly model: string
  readonly alias: string
  readonly profile: string
  readonly lock_digest: string
  readonly tokens: Readonly<Record<string, number>>
  readonly cost: ReceiptPayloadCost
}

export interface ReceiptPayloadCost {
  readonly amount: string | number
  readonly calculation?: string | undefined
  readonly currency?: string | undefined
  readonly unit_prices?: Readonly<Record<string, string>> | undefined
}

/** `cost` as it is signed: the amount is a decimal with 12 places. */
export type ReceiptCost = {
  readonly amount: string
  readonly calculation?: string
  readonly currency: 'USD'
  readonly unit_prices?: Readonly<Record<string, string>>
}

export type PayloadFault =
  | AmountFault
  | 'bad-text'
  | 'bad-counter-name'
  | 'too-many-counters'
  | 'bad-count'
  | 'bad-unit-price'
  | 'unknown-currency'

export interface PayloadRefusal {
  readonly ok: false
  readonly reason: PayloadFault
  /** RFC 6901, into the payload. */
  readonly pointer: string
}

const TEXTS = ['registry_version', 'provider', 'model', 'alias', 'profile', 'lock_digest'] as const

/** Refuses a free text that is too long, holds NUL or half a surrogate pair. Null if all are fine. */
export function refuseTexts(payload: ReceiptPayload): PayloadRefusal | null {
  const bad = TEXTS.find((name) => !isText(payload[name] ?? '', receiptTextCharsMax))
  return bad === undefined ? null : refusal('bad-text', `/${bad}`)
}

/** Refuses token counts that are no safe integers from 0 on, and names that are none. Null where all are fine. */
export function refuseTokens(tokens: ReceiptPayload['tokens']): PayloadRefusal | null {
  const bad = Object.entries(tokens).find(([, count]) => !Number.isSafeInteger(count) || count < 0)
  return refuseCounters(tokens, '/tokens') ?? (bad === undefined ? null : refusal('bad-count', `/tokens/${bad[0]}`))
}

/** The cost as we sign it, in US dollars; texts and unit prices are passed through. */
export function toReceiptCost(
  cost: ReceiptPayloadCost,
): { readonly ok: true; readonly cost: ReceiptCost } | PayloadRefusal {
  const amount = toReceiptAmount(cost.amount)
  if (!amount.ok) return refusal(amount.reason, '/cost/amount')
  const { calculation, currency = 'USD', unit_prices } = cost
  if (currency !== 'USD') return refusal('unknown-currency', '/cost/currency')
  if (!isText(calculation ?? '', receiptCalculationCharsMax)) return refusal('bad-text', '/cost/calculation')
  const fault = refuseUnitPrices(unit_prices ?? {})
  if (fault !== null) return fault
  return {
    ok: true,
    cost: {
      amount: amount.amount,
      ...(calculation === undefined ? {} : { calculation }),
      currency,
      ...(unit_prices === undefined ? {} : { unit_prices }),
    },
  }
}

function refuseUnitPrices(prices: Readonly<Record<string, string>>): PayloadRefusal | null {
  const bad = Object.entries(prices).find(([, price]) => !UNIT_PRICE.test(price))
  const pointer = '/cost/unit_prices'
  return (
    refuseCounters(prices, pointer) ?? (bad === undefined ? null : refusal('bad-unit-price', `${pointer}/${bad[0]}`))
  )
}

function refuseCounters(counters: object, pointer: string): PayloadRefusal | null {
  const names = Object.keys(counters)
  if (names.length > receiptCountersMax) return refusal('too-many-counters', pointer)
  return names.every((name) => COUNTER_NAME.test(name)) ? null : refusal('bad-counter-name', pointer)
}

function isText(text: string, charsMax: number): boolean {
  return text.length <= charsMax && !text.includes('\0') && !hasLoneSurrogate(text)
}

function refusal(reason: PayloadFault, pointer: string): PayloadRefusal {
  return { ok: false, reason, pointer }
}
