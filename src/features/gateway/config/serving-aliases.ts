import { type Backend, backendName, backendsFor } from '../../../core/routing/index.js'

type Bound = { readonly alias: string; readonly models: readonly string[] }

/** The backends that would be asked for an alias, in the order of its models, and those of its models that none serves. */
export type ServingAlias = {
  readonly alias: string
  readonly served: readonly string[]
  readonly unserved: readonly string[]
}

/** What would serve each alias, if every backend were well. */
export function describeAliases(bound: readonly Bound[], backends: readonly Backend[]): ServingAlias[] {
  return bound.map(({ alias, models }) => {
    const found = models.map((model) => ({ model, serving: servingModel(model, backends) }))
    return {
      alias,
      served: [...new Set(found.flatMap(({ serving }) => serving.map(backendName)))],
      unserved: found.filter(({ serving }) => serving.length === 0).map(({ model }) => model),
    }
  })
}

function servingModel(model: string, backends: readonly Backend[]): readonly Backend[] {
  const found = backendsFor(model, [model], backends)
  return found.ok ? found.placed.map(({ backend }) => backend) : []
}
