import type { IndexedModel, ModelIndex } from '../core/pricing/index.js'
import { readConstraints, suitableModels } from '../core/routing/index.js'
import { CLIENT_LIMITS } from './limits.js'

/** A task that many programs have, and what a model needs for it. */
type Task = {
  readonly alias: string
  /** Of the models that can do it the cheapest, or the dearest below a price: the nearest that facts come to "best". */
  readonly choose: 'cheapest' | 'strongest'
  readonly requires: readonly string[]
  readonly minContextTokens: number
}

const TASKS: readonly Task[] = [
  { alias: 'summarizer', choose: 'cheapest', requires: ['json_schema'], minContextTokens: 100_000 },
  { alias: 'classifier', choose: 'cheapest', requires: ['json_schema'], minContextTokens: 8_000 },
  { alias: 'extractor', choose: 'cheapest', requires: ['json_schema', 'function_calling'], minContextTokens: 100_000 },
  { alias: 'translator', choose: 'cheapest', requires: ['json_schema'], minContextTokens: 32_000 },
  { alias: 'writer', choose: 'strongest', requires: ['json_schema'], minContextTokens: 100_000 },
  { alias: 'coder', choose: 'strongest', requires: ['function_calling', 'json_schema'], minContextTokens: 100_000 },
  { alias: 'vision', choose: 'cheapest', requires: ['vision', 'json_schema'], minContextTokens: 32_000 },
]

export type SuggestedBinding = { readonly alias: string; readonly models: readonly string[] }

/**
 * Aliases that are named by tasks, bound to chat models: of each provider the one that the registry's facts speak for,
 * in the order of the providers. A task that no provider has a model for is left out.
 */
export function suggestBindings(indexes: readonly ModelIndex[]): readonly SuggestedBinding[] {
  return TASKS.map((task) => ({
    alias: task.alias,
    models: indexes.map((index) => suggestModel(index, task)).filter((model) => model !== undefined),
  })).filter(({ models }) => models.length > 0)
}

function suggestModel(index: ModelIndex, { choose, requires, minContextTokens }: Task): string | undefined {
  const { constraints } = readConstraints({
    min_context: minContextTokens,
    max_cost: CLIENT_LIMITS.suggestedInputUsdMax,
    requires,
  })
  const models = suitableModels(index, constraints)
  return choose === 'cheapest' ? models[0]?.key : strongest(models)?.key
}

/** The dearest by output; of those that cost the same the last one in the order of names, which is the newest of dated ones. */
function strongest(models: readonly IndexedModel[]): IndexedModel | undefined {
  const price = ({ prices }: IndexedModel) => prices.unit.output ?? 0n
  const isStronger = (one: IndexedModel, than: IndexedModel) =>
    price(one) === price(than) ? one.key > than.key : price(one) > price(than)
  return models.reduce<IndexedModel | undefined>(
    (best, model) => (best === undefined || isStronger(model, best) ? model : best),
    undefined,
  )
}
