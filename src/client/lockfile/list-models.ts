import { usdPerMillion } from '../../core/pricing/index.js'
import { contextTokensOf, hasCapability } from '../../core/routing/index.js'
import type { Registry } from './registry.js'

export type ListedModel = {
  readonly model: string
  /** Tokens that can be given to it; null if that is not known. */
  readonly context: number | null
  /** USD per million tokens, as exact decimals; null if they are not known. */
  readonly input: string | null
  readonly output: string | null
}

/** The active models of these providers that have all of the capabilities, by provider, the cheapest first. */
export async function listModels(
  registry: Registry,
  providers: readonly string[],
  capabilities: readonly string[],
): Promise<readonly ListedModel[]> {
  const facts = await registry.facts(providers)
  return providers.flatMap((provider) => {
    const models = [...(facts(provider.toLowerCase())?.byKey.values() ?? [])]
      .filter((model) => model.active && capabilities.every((name) => hasCapability(model, name)))
      .sort((one, other) => compare(one.prices.unit.input, other.prices.unit.input) || (one.key < other.key ? -1 : 1))
    return models.map((model): ListedModel => {
      const { input, output } = model.prices.unit
      return {
        model: model.key,
        context: contextTokensOf(model) ?? null,
        input: dollars(input),
        output: dollars(output),
      }
    })
  })
}

const dollars = (price: bigint | undefined): string | null => (price === undefined ? null : usdPerMillion(price))

/** What has no known price goes last. */
function compare(one: bigint | undefined, other: bigint | undefined): number {
  if (one === other) return 0
  if (one === undefined || other === undefined) return one === undefined ? 1 : -1
  return one < other ? -1 : 1
}
