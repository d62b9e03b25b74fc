import { readConstraints, readConstraintsText, resolveCandidates } from '../../core/routing/index.js'
import { createSlices } from '../../platform/slices.js'
import type { Alias } from './alias.js'
import type { WrittenBinding } from './head.js'
import { ALIAS_LIMITS } from './limits.js'
import { oddModels } from './render.js'
import { type RegistryNow, unresolvedWarnings } from './wildcard-answer.js'

/** What an alias's own response does not say of itself: which of its wildcards stand for no model as it is bound. */
export function wildcardWarnings({ facts }: RegistryNow, { models, constraints }: Alias): readonly string[] {
  return unresolvedWarnings(resolveCandidates(models, readConstraints(constraints).constraints, facts))
}

/**
 * The warnings of many bindings, each with its alias in front: the first of them, and how many there may be is not
 * counted, because thousands of wildcards would have to be resolved for a number.
 */
export async function warningsOfMany(
  { facts }: RegistryNow,
  bindings: readonly WrittenBinding[],
): Promise<readonly string[]> {
  const slices = createSlices()
  const warnings: string[] = []
  for (const { alias, models, constraints } of bindings) {
    if (warnings.length >= ALIAS_LIMITS.warningsShownMax) break
    if (slices.isDue()) await slices.pause()
    const read = readConstraintsText(constraints)
    const unresolved = unresolvedWarnings(resolveCandidates(models, read.constraints, facts))
    const all = [...oddModels(models), ...read.warnings, ...unresolved]
    warnings.push(...all.map((warning) => `${alias}: ${warning}`))
  }
  return warnings.slice(0, ALIAS_LIMITS.warningsShownMax)
}
