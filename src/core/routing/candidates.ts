import { findModel, type ModelIndex } from '../pricing/index.js'
import type { Constraints } from './constraints.js'
import { parseReference, type Reference } from './reference.js'
import { unmetBy } from './unmet.js'
import { resolveWildcard } from './wildcard.js'

/** One version of a provider's models; undefined if the registry has none of that provider. Names are lower case. */
export type RegistryFacts = (provider: string) => ModelIndex | undefined

/** A model that may be called. */
type Candidate = {
  /** As it was bound: `model` itself, or the wildcard that chose it. */
  readonly reference: string
  readonly model: string
  /**
   * What of the constraints it does not satisfy. Only ever of a model that was bound by its name: what a person named
   * is not taken away, because the registry may know less than they do.
   */
  readonly unmet: readonly string[]
}

/** A wildcard that stands for no model now, and why. */
type Unresolved = { readonly reference: string; readonly reason: string }

export type Candidates = { readonly candidates: readonly Candidate[]; readonly unresolved: readonly Unresolved[] }

/**
 * The models that a binding means, in its order: each by its name, a wildcard as the model that it resolves to. A model
 * that comes twice is a candidate once. What is bound by name stays, whatever the registry knows of it, also a name
 * without its provider, which old clients bind.
 */
export function resolveCandidates(
  references: readonly string[],
  constraints: Constraints,
  facts: RegistryFacts,
): Candidates {
  const candidates = new Map<string, Candidate>()
  const unresolved: Unresolved[] = []
  const chosen = new Map<string, Resolved>()
  const choose = (provider: string): Resolved => {
    const known = chosen.get(provider) ?? resolveProvider(provider, constraints, facts)
    chosen.set(provider, known)
    return known
  }
  const add = (candidate: Candidate): void => {
    if (!candidates.has(candidate.model)) candidates.set(candidate.model, candidate)
  }
  for (const text of references) {
    const parsed = parseReference(text)
    if (!parsed.ok) add({ reference: text, model: text, unmet: [] })
    else if (!parsed.reference.isWildcard) {
      add({ reference: text, model: text, unmet: unmetByNamed(parsed.reference, constraints, facts) })
    } else {
      const resolved = choose(parsed.reference.provider.toLowerCase())
      if (resolved.ok) add({ reference: text, model: resolved.model, unmet: [] })
      else unresolved.push({ reference: text, reason: resolved.reason })
    }
  }
  return { candidates: [...candidates.values()], unresolved }
}

type Resolved = { readonly ok: true; readonly model: string } | { readonly ok: false; readonly reason: string }

function resolveProvider(provider: string, constraints: Constraints, facts: RegistryFacts): Resolved {
  const index = facts(provider)
  if (index === undefined) return { ok: false, reason: `the registry has no models of '${provider}'.` }
  const result = resolveWildcard(index, constraints)
  return result.ok ? { ok: true, model: result.model.key } : result
}

/** Of a model that the registry does not know nothing can be said. */
function unmetByNamed({ provider, model }: Reference, constraints: Constraints, facts: RegistryFacts) {
  const index = facts(provider.toLowerCase())
  const known = index === undefined ? undefined : findModel(index, provider, model)
  return known === undefined ? [] : unmetBy(known, constraints)
}
