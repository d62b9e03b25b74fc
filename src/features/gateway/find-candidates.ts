import { type Backend, parseReference } from '../../core/routing/index.js'
import { AppError } from '../../platform/errors.js'

/**
 * The backends that may answer a request for `model`, in the order in which they are asked. `bound` is what an alias of
 * that name is bound to, primary first; it wins over a model of the same name. Throws `model-not-found`.
 */
export function findCandidates(
  model: string | undefined,
  bound: readonly string[] | null,
  backends: readonly Backend[],
): readonly Backend[] {
  const found = bound !== null ? bound.flatMap((name) => servingModel(name, backends)) : findUnbound(model, backends)
  if (found.length > 0) return [...new Set(found)]
  const what = bound === null ? `No backend serves '${model}'` : `No backend serves what '${model}' is bound to`
  throw new AppError('model-not-found', `${what}; GET /v1/models lists what is served.`)
}

const byPriority = (one: Backend, other: Backend): number => one.priority - other.priority || one.order - other.order

function findUnbound(model: string | undefined, backends: readonly Backend[]): readonly Backend[] {
  if (model === undefined || model === 'auto') return [...backends].sort(byPriority)
  return servingModel(model, backends)
}

function servingModel(name: string, backends: readonly Backend[]): readonly Backend[] {
  const parsed = parseReference(name)
  const { provider, model } = parsed.ok ? parsed.reference : { provider: '', model: name }
  const named = backends.filter((backend) => backend.provider === provider && backend.model === model)
  const found = named.length > 0 ? named : backends.filter((backend) => backend.model === name)
  return [...found].sort(byPriority)
}
