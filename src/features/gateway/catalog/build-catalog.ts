import type { Catalog } from './catalog.js'

/** A model as a provider lists it. A cost is USD per thousand tokens; null is not known. */
export type Offer = {
  readonly provider: string
  readonly model: string
  readonly costPerThousandIn: number | null
  readonly costPerThousandOut: number | null
  readonly maxTokens: number | null
}

const FREE = ':free'

/** Only what says so: a model without a price may cost anything. */
export const isFree = ({ model, costPerThousandIn, costPerThousandOut }: Offer): boolean =>
  model.endsWith(FREE) || (costPerThousandIn === 0 && costPerThousandOut === 0)

/**
 * The catalogue of what these providers offer: the free models, or all. What several providers offer by one name, whoever
 * made it, is one model. In the order of its name, so that the same offers make the same bytes.
 */
export function buildCatalog(providers: readonly string[], offers: readonly Offer[], includePaid: boolean): Catalog {
  const models = new Map<string, Catalog['models'][number]>()
  for (const offer of offers) {
    if (!includePaid && !isFree(offer)) continue
    const canonical = canonicalOf(offer.model)
    const known = models.get(canonical) ?? { canonical, aliases: [canonical], providers: {} }
    const taken = known.providers[offer.provider]
    // A provider may offer a model twice, for nothing and for money: the first wish is not to pay.
    if (taken !== undefined && (taken.model.endsWith(FREE) || !isFree(offer))) continue
    known.providers[offer.provider] = servedOf(offer)
    models.set(canonical, { ...known, aliases: [...new Set([...known.aliases, withoutFree(offer.model)])].sort() })
  }
  return {
    providers: [...providers],
    models: [...models.values()].sort((one, other) => (one.canonical < other.canonical ? -1 : 1)),
    provider_catalogs: Object.fromEntries(providers.map((provider) => [provider, namesOf(provider, offers)])),
  }
}

const withoutFree = (model: string): string => (model.endsWith(FREE) ? model.slice(0, -FREE.length) : model)

/** `openai/gpt-oss-20b:free` is `gpt-oss-20b`. */
function canonicalOf(model: string): string {
  const whole = withoutFree(model)
  return whole.slice(whole.lastIndexOf('/') + 1) || whole
}

const servedOf = (offer: Offer): Catalog['models'][number]['providers'][string] => ({
  model: offer.model,
  cost_per_1k_in: isFree(offer) ? 0 : offer.costPerThousandIn,
  cost_per_1k_out: isFree(offer) ? 0 : offer.costPerThousandOut,
  max_tokens: offer.maxTokens,
})

const namesOf = (provider: string, offers: readonly Offer[]): string[] =>
  [...new Set(offers.filter((offer) => offer.provider === provider).map(({ model }) => model))].sort()
