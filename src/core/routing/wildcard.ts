import type { IndexedModel, ModelIndex } from '../pricing/index.js'
import type { Constraints } from './constraints.js'
import { isChatModel } from './model-facts.js'
import { demandsOf } from './unmet.js'

export type WildcardResult =
  | { readonly ok: true; readonly model: IndexedModel }
  /** `reason` is a sentence that says of every demand how many models satisfy it. */
  | { readonly ok: false; readonly reason: string }

/**
 * What `provider:*` means: of the provider's active chat models that satisfy the constraints the cheapest one, by the
 * price of input, then that of output, then the name in code-unit order. A model of unknown price goes last. So the
 * order inside the registry's file does not matter, and equal facts give equal answers everywhere.
 */
export function resolveWildcard(index: ModelIndex, constraints: Constraints): WildcardResult {
  const demands = demandsOf(constraints)
  const models = choicesOf(index)
  const model = models.find((one) => demands.every(({ refusal }) => refusal(one) === undefined))
  if (model !== undefined) return { ok: true, model }
  const counts = demands.map(({ text, refusal }) => {
    const satisfied = models.filter((one) => refusal(one) === undefined).length
    return `${text} (${satisfied} of them)`
  })
  const among = `none of the ${models.length} active chat models of ${index.provider}`
  return { ok: false, reason: counts.length === 0 ? `${among} will do.` : `${among} satisfies ${counts.join(', ')}.` }
}

/** The models that a wildcard with these constraints may stand for: the one that it does, and then the next cheapest. */
export function suitableModels(index: ModelIndex, constraints: Constraints): readonly IndexedModel[] {
  const demands = demandsOf(constraints)
  return choicesOf(index).filter((model) => demands.every(({ refusal }) => refusal(model) === undefined))
}

const choices = new WeakMap<ModelIndex, readonly IndexedModel[]>()

/** An index's active chat models, cheapest first: ordered once, because thousands of aliases may ask. */
function choicesOf(index: ModelIndex): readonly IndexedModel[] {
  const known = choices.get(index)
  if (known !== undefined) return known
  const models = [...index.byKey.values()].filter((model) => model.active && isChatModel(model)).sort(byPrice)
  choices.set(index, models)
  return models
}

function byPrice(one: IndexedModel, other: IndexedModel): number {
  for (const kind of ['input', 'output'] as const) {
    const [price, than] = [one.prices.unit[kind], other.prices.unit[kind]]
    if (price === than) continue
    if (price === undefined) return 1
    return than === undefined || price < than ? -1 : 1
  }
  return one.key < other.key ? -1 : 1
}
