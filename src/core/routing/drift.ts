import { findModel, type IndexedModel } from '../pricing/index.js'
import type { RegistryFacts } from './candidates.js'
import { changedLimits, changedPrices, type FactChange } from './compare-models.js'
import type { Constraints } from './constraints.js'
import { parseReference, type Reference } from './reference.js'
import { resolveWildcard } from './wildcard.js'

/**
 * How a bound model differs from what it was at the pinned version. `gone`: the registry's current version does not
 * have it; `inactive`: it is there and no longer offered; `unsatisfied`: no model satisfies a wildcard's constraints
 * now; `resolves_differently`: a wildcard, or a name that the registry lists as a model's other name, stands for
 * another model than it did.
 */
export const DRIFT_KINDS = [
  'gone',
  'inactive',
  'price_changed',
  'limits_changed',
  'unsatisfied',
  'resolves_differently',
] as const

export type Drift = {
  readonly kind: (typeof DRIFT_KINDS)[number]
  /** The model that it is about: a wildcard's current one; null if there is none. */
  readonly resolved: string | null
  readonly changes: readonly FactChange[]
}

type DriftRegistry = {
  readonly current: RegistryFacts
  /** The versions that a lockfile pins. Of a provider without a pin only `gone`, `inactive`, `unsatisfied` are found. */
  readonly pinned: RegistryFacts
}

/**
 * How one bound reference drifted, the gravest first; empty if it did not, and empty for a provider that the current
 * registry does not have: nothing is known of it, and `isKnownTo` tells the two apart.
 */
export function driftOf(text: string, constraints: Constraints, registry: DriftRegistry): readonly Drift[] {
  const parsed = parseReference(text)
  if (!parsed.ok || !isKnownTo(registry.current, text)) return []
  const { reference } = parsed
  if (reference.isWildcard) return driftOfWildcard(reference, constraints, registry)
  const current = find(registry.current, reference)
  if (current === undefined) return [{ kind: 'gone', resolved: text, changes: [] }]
  return driftOfModel(find(registry.pinned, reference), current)
}

/** Whether the registry has models of a reference's provider. */
export function isKnownTo(facts: RegistryFacts, text: string): boolean {
  const parsed = parseReference(text)
  return parsed.ok && facts(parsed.reference.provider.toLowerCase()) !== undefined
}

function driftOfModel(pinned: IndexedModel | undefined, current: IndexedModel): readonly Drift[] {
  const resolved = current.key
  const drifts: Drift[] = []
  const add = (kind: Drift['kind'], changes: readonly FactChange[]) => {
    if (changes.length > 0) drifts.push({ kind, resolved, changes })
  }
  if (!current.active) drifts.push({ kind: 'inactive', resolved, changes: [] })
  if (pinned === undefined) return drifts
  if (pinned.key !== resolved) add('resolves_differently', [{ field: 'model', pinned: pinned.key, current: resolved }])
  add('price_changed', changedPrices(pinned, current))
  add('limits_changed', changedLimits(pinned, current))
  return drifts
}

function driftOfWildcard({ provider }: Reference, constraints: Constraints, registry: DriftRegistry): readonly Drift[] {
  const [before, now] = [registry.pinned, registry.current].map((facts) => {
    const index = facts(provider.toLowerCase())
    const result = index === undefined ? undefined : resolveWildcard(index, constraints)
    return result?.ok === true ? result.model : undefined
  })
  if (now === undefined) return [{ kind: 'unsatisfied', resolved: null, changes: [] }]
  return driftOfModel(before, now)
}

function find(facts: RegistryFacts, { provider, model }: Reference): IndexedModel | undefined {
  const index = facts(provider.toLowerCase())
  return index === undefined ? undefined : findModel(index, provider, model)
}
