import { type IndexedModel, PRICE_FIELDS, type PriceKind, usdPerMillion } from '../pricing/index.js'
import { LIMIT_FIELDS, limitOf } from './model-facts.js'

/**
 * One fact of a model in two versions of the registry, by the registry's own name of it. A price is USD per million
 * tokens as a decimal text, a limit is a number of tokens; null is unknown.
 */
export type FactChange = {
  readonly field: string
  readonly pinned: string | number | null
  readonly current: string | number | null
}

const PRICE_KINDS = Object.keys(PRICE_FIELDS) as PriceKind[]

/** Every price that differs, and from how many tokens on the long-context prices count. Exact: no double is compared. */
export function changedPrices(pinned: IndexedModel, current: IndexedModel): readonly FactChange[] {
  const priceOf = (model: IndexedModel, kind: PriceKind): string | null => {
    const price = model.prices.unit[kind]
    return price === undefined ? null : usdPerMillion(price)
  }
  const thresholdOf = ({ prices }: IndexedModel) => prices.longContextThresholdTokens ?? null
  return differing([
    ...PRICE_KINDS.map((kind) => ({
      field: PRICE_FIELDS[kind],
      pinned: priceOf(pinned, kind),
      current: priceOf(current, kind),
    })),
    { field: 'long_context_threshold_tokens', pinned: thresholdOf(pinned), current: thresholdOf(current) },
  ])
}

/** Every limit that differs. */
export function changedLimits(pinned: IndexedModel, current: IndexedModel): readonly FactChange[] {
  return differing(
    LIMIT_FIELDS.map((field) => ({
      field,
      pinned: limitOf(pinned, field) ?? null,
      current: limitOf(current, field) ?? null,
    })),
  )
}

const differing = (facts: readonly FactChange[]) => facts.filter(({ pinned, current }) => pinned !== current)
