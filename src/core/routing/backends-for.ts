import type { Backend } from './backend.js'

/** The model of a request that leaves the choice to the service. */
const AUTO_MODEL = 'auto'

/** A backend and its place in the list that an alias is bound to; 0 where there is no list. */
export type Placed = { readonly backend: Backend; readonly place: number }

export type BackendsFor =
  | { readonly ok: true; readonly by: 'alias' | 'model' | 'auto'; readonly placed: readonly Placed[] }
  /** `unserved`: the alias is bound, to models that no configured provider serves. */
  | { readonly ok: false; readonly reason: 'unknown-model' | 'unserved' }

/**
 * Which backends may answer a request for `model`; undefined stands for `auto`. `bound` is what an alias of that name
 * is bound to, primary first. What is bound wins over a model of the same name. A backend is listed once, at its first place.
 */
export function backendsFor(
  model: string | undefined,
  bound: readonly string[] | undefined,
  backends: readonly Backend[],
): BackendsFor {
  if (bound !== undefined) {
    const placed = placeAll(bound, backends)
    return placed.length > 0 ? { ok: true, by: 'alias', placed } : { ok: false, reason: 'unserved' }
  }
  if (model === undefined || model === AUTO_MODEL) {
    return { ok: true, by: 'auto', placed: backends.map((backend) => ({ backend, place: 0 })) }
  }
  const serving = servingReference(model, backends)
  if (serving.length === 0) return { ok: false, reason: 'unknown-model' }
  return { ok: true, by: 'model', placed: serving.map((backend) => ({ backend, place: 0 })) }
}

function placeAll(references: readonly string[], backends: readonly Backend[]): readonly Placed[] {
  const placed = new Map<Backend, Placed>()
  for (const [place, reference] of references.entries()) {
    for (const backend of servingReference(reference, backends)) {
      if (!placed.has(backend)) placed.set(backend, { backend, place })
    }
  }
  return [...placed.values()]
}

/**
 * The backends of one reference: of the provider by that name, else of the providers of that type, else every backend
 * that lists the whole text as its model. The last is tried at the end because a model's own name may hold a colon.
 */
function servingReference(reference: string, backends: readonly Backend[]): readonly Backend[] {
  const colon = reference.indexOf(':')
  if (colon > 0) {
    const provider = reference.slice(0, colon).toLowerCase()
    const ofModel = backends.filter(({ model }) => model === reference.slice(colon + 1))
    const named = ofModel.filter((backend) => backend.provider.toLowerCase() === provider)
    if (named.length > 0) return named
    const typed = ofModel.filter(({ type }) => type === provider)
    if (typed.length > 0) return typed
  }
  return backends.filter((backend) => isCalled(backend, reference))
}

/** Whether a bare name means the model of this backend. */
export const isCalled = ({ model, names }: Backend, name: string): boolean =>
  model === name || names?.includes(name) === true
