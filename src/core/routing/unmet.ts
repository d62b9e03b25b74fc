import { type IndexedModel, usdPerMillion } from '../pricing/index.js'
import type { Constraints } from './constraints.js'
import { contextTokensOf, hasCapability } from './model-facts.js'

/** One demand of constraints: how it is written, and what a model says to it (undefined: it is satisfied). */
export type Demand = { readonly text: string; readonly refusal: (model: IndexedModel) => string | undefined }

/**
 * The demands of constraints, one by one. A fact that is not known satisfies none: a model of unknown context may be
 * too small, one of unknown price too dear.
 */
export function demandsOf({ minContextTokens, maxPicoPerToken, requires }: Constraints): readonly Demand[] {
  const demands: Demand[] = []
  if (minContextTokens !== undefined) {
    demands.push({
      text: `min_context ${minContextTokens}`,
      refusal: (model) => {
        const tokens = contextTokensOf(model)
        if (tokens === undefined) return `its context is unknown, min_context is ${minContextTokens}`
        return tokens >= minContextTokens ? undefined : `it takes ${tokens} tokens, min_context is ${minContextTokens}`
      },
    })
  }
  if (maxPicoPerToken !== undefined) {
    const most = usdPerMillion(maxPicoPerToken)
    demands.push({
      text: `max_cost ${most}`,
      refusal: ({ prices }) => {
        const price = prices.unit.input
        if (price === undefined) return `its price is unknown, max_cost is ${most}`
        if (price <= maxPicoPerToken) return undefined
        return `it costs ${usdPerMillion(price)} USD per million input tokens, max_cost is ${most}`
      },
    })
  }
  for (const name of requires) {
    demands.push({
      text: `requires ${name}`,
      refusal: (model) => (hasCapability(model, name) ? undefined : `it does not support '${name}'`),
    })
  }
  return demands
}

/** Why a model does not satisfy constraints, one sentence part for each demand; empty if it does. */
export function unmetBy(model: IndexedModel, constraints: Constraints): readonly string[] {
  return demandsOf(constraints).flatMap(({ refusal }) => refusal(model) ?? [])
}
