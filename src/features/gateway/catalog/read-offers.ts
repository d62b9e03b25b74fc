import { z } from 'zod'
import { indexModels, type PriceKind, usdPerMillion } from '../../../core/pricing/index.js'
import { contextTokensOf, isChatModel } from '../../../core/routing/index.js'
import type { Offer } from './build-catalog.js'

/** What can be configured, and asked for. */
const NAME = /^[\x21-\x7e]{1,255}$/

const Listed = z.object({
  id: z.string().regex(NAME),
  context_length: z.number().nullish(),
  pricing: z.object({ prompt: z.unknown(), completion: z.unknown() }).partial().nullish(),
})
const List = z.object({ data: z.array(z.unknown()).optional(), models: z.array(z.unknown()).optional() })

/**
 * The models of a provider's own list, `GET /models` as OpenAI defined it; prices, USD a token, are there where the
 * provider tells them, as OpenRouter does. An entry without a usable id is passed over. Throws if it is no list.
 */
export function readListedModels(provider: string, value: unknown): readonly Offer[] {
  const list = List.safeParse(value)
  const entries = list.data?.data ?? list.data?.models
  if (entries === undefined) throw new Error(`${provider}: it answered with no list of models.`)
  return entries.flatMap((entry): Offer[] => {
    const { success, data } = Listed.safeParse(entry)
    if (!success) return []
    const { id: model, pricing, context_length: context } = data
    return [
      {
        ...{ provider, model, maxTokens: Number.isInteger(context) && Number(context) > 0 ? Number(context) : null },
        costPerThousandIn: perThousand(pricing?.prompt),
        costPerThousandOut: perThousand(pricing?.completion),
      },
    ]
  })
}

/** A price a token; what is no number, or below 0 (OpenRouter's word for "it depends"), is not known. */
function perThousand(price: unknown): number | null {
  const value = typeof price === 'string' && price.trim() !== '' ? Number(price) : price
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return null
  return Number((value * 1_000).toPrecision(12))
}

/** The active chat models of the registry's file of a provider. Throws if it is none. */
export function readRegistryModels(provider: string, file: unknown): readonly Offer[] {
  const indexed = indexModels(file)
  if (!indexed.ok) throw new Error(`${provider}: the registry's file of it cannot be read.`)
  const models = [...indexed.index.byKey.values()].filter((one) => one.active && isChatModel(one) && NAME.test(one.key))
  return models.map((model): Offer => {
    const priceOf = (kind: PriceKind): number | null => {
      const price = model.prices.unit[kind]
      return price === undefined ? null : Number((Number(usdPerMillion(price)) / 1_000).toPrecision(12))
    }
    return {
      ...{ provider, model: model.key.slice(model.key.indexOf(':') + 1), maxTokens: contextTokensOf(model) ?? null },
      costPerThousandIn: priceOf('input'),
      costPerThousandOut: priceOf('output'),
    }
  })
}
