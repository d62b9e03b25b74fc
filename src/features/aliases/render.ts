import { parseReference, readConstraints, readConstraintsText } from '../../core/routing/index.js'
import type { Alias } from './alias.js'
import type { ListedAlias } from './list-store.js'

/** An alias as it is shown, with what is odd about it; `warnings` are those that its caller knows of. */
export function renderAlias(alias: Alias, warnings: readonly string[] = []) {
  const ignored = readConstraints(alias.constraints).warnings
  return rendered(alias, [...oddModels(alias.models), ...ignored, ...warnings])
}

/** The same as JSON text, of an alias whose large members are texts already. */
export function renderListed(alias: ListedAlias): string {
  const ignored = readConstraintsText(alias.constraints).warnings
  const plain = rendered({ ...alias, constraints: null, metadata: null }, [...oddModels(alias.models), ...ignored])
  const { constraints: _, metadata: __, ...shown } = plain
  const large = `"constraints":${alias.constraints ?? 'null'},"metadata":${alias.metadata ?? 'null'}`
  return `${JSON.stringify(shown).slice(0, -1)},${large}}`
}

/** A model that is no `provider:model` is bound all the same, as old clients do. */
export function oddModels(models: readonly string[]): string[] {
  return models.flatMap((model) => {
    const parsed = parseReference(model)
    return parsed.ok ? [] : [parsed.message]
  })
}

function rendered(alias: Alias, warnings: readonly string[]) {
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
