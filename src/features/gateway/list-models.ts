import type { Backend } from '../../core/routing/index.js'
import { backendName, isCalled } from '../../core/routing/index.js'

/** A model as the libraries of OpenAI and of Anthropic list it, in one. */
export type ListedModel = {
  readonly id: string
  readonly object: 'model'
  readonly type: 'model'
  readonly created: number
  readonly created_at: string
  readonly owned_by: string
  readonly display_name: string
}

export type ListedModels = {
  readonly object: 'list'
  readonly data: readonly ListedModel[]
  readonly has_more: boolean
  readonly first_id: string | null
  readonly last_id: string | null
}

const toModel = (id: string, owner: string): ListedModel => ({
  ...{ id, object: 'model', type: 'model', created: 0, created_at: '1970-01-01T00:00:00Z' },
  ...{ owned_by: owner, display_name: id },
})

/** What may be asked for: the aliases of the project first, then every model as `provider:model`. */
export function listModels(aliases: readonly string[], backends: readonly Backend[]): ListedModels {
  const data = [
    ...aliases.map((alias) => toModel(alias, 'alias')),
    ...backends.map((backend) => toModel(backendName(backend), backend.provider)),
  ]
  const ids = data.map(({ id }) => id)
  return { object: 'list', data, has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null }
}

/** One of them; undefined for a name that means nothing. A bare model is called by its own name. */
export function findModel(id: string, isAlias: boolean, backends: readonly Backend[]): ListedModel | undefined {
  if (isAlias) return toModel(id, 'alias')
  const backend = backends.find((one) => backendName(one) === id || isCalled(one, id))
  return backend === undefined ? undefined : toModel(id, backend.provider)
}
