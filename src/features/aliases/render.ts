import type { Alias } from './alias.js'

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
