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
  const models = [...index.byKey.values()].filter((model) => model.active && isChatModel(model))
  let cheapest: IndexedModel | undefined
  for (const model of models) {
    if (demands.some(({ refusal }) => refusal(model) !== undefined)) continue
    if (cheapest === undefined || isCheaper(model, cheapest)) cheapest = model
  }
  if (cheapest !== undefined) return { ok: true, model: cheapest }
  const counts = demands.map(({ text, refusal }) => {
    const satisfied = models.filter((model) => refusal(model) === undefined).length
    return `${text} (${satisfied} of them)`
  })
  const among = `none of the ${models.length} active chat models of ${index.provider}`
  return { ok: false, reason: counts.length === 0 ? `${among} will do.` : `${among} satisfies ${counts.join(', ')}.` }
}

function isCheaper(model: IndexedModel, than: IndexedModel): boolean {
  for (const kind of ['input', 'output'] as const) {
    const [price, other] = [model.prices.unit[kind], than.prices.unit[kind]]
    if (price !== other) return price !== undefined && (other === undefined || price < other)
  }
  return model.key < than.key
}
