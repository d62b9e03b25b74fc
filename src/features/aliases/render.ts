import type { Alias } from './alias.js'
import type { ListedAlias } from './list-store.js'

/** An alias as it is shown, with a warning for every model that names no provider. */
export function renderAlias(alias: Alias) {
  const bare = alias.models.filter((model) => !model.includes(':'))
  const warnings = bare.map(
    (model) => `'${model}' names no provider; write it as provider:model, like openai:gpt-4o-mini.`,
  )
  return {
    id: alias.id,
    project_id: alias.projectId,
    profile: alias.profile,
    alias: alias.alias,
    model: alias.models[0],
    models: alias.models,
    constraints: alias.constraints,
    metadata: alias.metadata,
    revision: alias.revision,
    created_at: alias.createdAt.toISOString(),
    updated_at: alias.updatedAt.toISOString(),
    ...(warnings.length === 0 ? {} : { warnings }),
  }
}

/** The same as JSON text, of an alias whose large members are texts already. */
export function renderListed(alias: ListedAlias): string {
  const { constraints: _, metadata: __, ...shown } = renderAlias({ ...alias, constraints: null, metadata: null })
  const large = `"constraints":${alias.constraints ?? 'null'},"metadata":${alias.metadata ?? 'null'}`
  return `${JSON.stringify(shown).slice(0, -1)},${large}}`
}
