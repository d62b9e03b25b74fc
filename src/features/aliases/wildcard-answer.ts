import {
  type Candidates,
  type RegistryFacts,
  readConstraintsText,
  resolveCandidates,
} from '../../core/routing/index.js'

/** What the registry says now, in memory. */
export type RegistryNow = {
  readonly facts: RegistryFacts
  /** Another number after each load of new content. */
  readonly loads: () => number
}

/** The `model`, `models` and `warnings` of an alias as it is resolved. */
type Resolution = {
  readonly model: string | null
  readonly models: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * What bound models mean by the registry as it is now: every wildcard becomes a model that can be called, and one that
 * stands for none is left out with a warning. Old clients call `model` as it is, so it is null rather than a wildcard.
 */
export function resolveModels(facts: RegistryFacts, models: readonly string[], constraints: string | null): Resolution {
  const candidates = resolveCandidates(models, readConstraintsText(constraints).constraints, facts)
  const concrete = candidates.candidates.map(({ model }) => model)
  return { model: concrete[0] ?? null, models: concrete, warnings: unresolvedWarnings(candidates) }
}

/** The warnings of wildcards that stand for no model now. A binding is not refused for it: the registry may come. */
export function unresolvedWarnings({ unresolved }: Pick<Candidates, 'unresolved'>): string[] {
  return unresolved.map(({ reference, reason }) => `'${reference}' stands for no model now: ${reason}`)
}

/**
 * An answer that follows the registry: rendered again when the registry loaded something since, and only then. So a new
 * registry costs nothing for an alias that is not resolved, and no load can come between rendering and keeping.
 */
export function followRegistry(registry: RegistryNow, render: (facts: RegistryFacts) => string): () => string {
  let loads = registry.loads()
  let answer = render(registry.facts)
  return () => {
    const now = registry.loads()
    if (now !== loads) {
      loads = now
      answer = render(registry.facts)
    }
    return answer
  }
}
