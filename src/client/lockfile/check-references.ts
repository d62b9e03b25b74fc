import type { LockBinding, Lockfile } from '../../core/lockfile/index.js'
import { findModel } from '../../core/pricing/index.js'
import { parseReference, type RegistryFacts, readConstraintsText, resolveCandidates } from '../../core/routing/index.js'
import type { Registry } from './registry.js'

/** Something about a model that an alias of a lockfile is bound to. */
export type ReferenceFinding = {
  readonly profile: string
  readonly alias: string
  readonly model: string
  readonly message: string
}

export type ReferenceCheck = {
  readonly problems: readonly ReferenceFinding[]
  readonly warnings: readonly ReferenceFinding[]
}

/**
 * Looks every model of a lockfile up in the registry. A model that it does not have, and a wildcard that stands for
 * none, is a problem; one that is not offered any more, or does not satisfy its alias's constraints, a warning.
 */
export async function checkReferences(
  lockfile: Lockfile,
  registry: Registry,
  profile?: string,
): Promise<ReferenceCheck> {
  const bound = [...lockfile.profiles]
    .filter(([name]) => profile === undefined || name === profile)
    .flatMap(([name, { bindings }]) => bindings.map((binding) => ({ ...binding, profile: name })))
  const facts = await registry.facts(bound.flatMap(({ models }) => models.map(providerOf)))
  const found = bound.flatMap((binding) => checkBinding(binding, facts))
  return {
    problems: found.filter(({ isProblem }) => isProblem).map(({ finding }) => finding),
    warnings: found.filter(({ isProblem }) => !isProblem).map(({ finding }) => finding),
  }
}

type Found = { readonly isProblem: boolean; readonly finding: ReferenceFinding }

function checkBinding(
  { profile, alias, models, constraints }: LockBinding & { readonly profile: string },
  facts: RegistryFacts,
): readonly Found[] {
  const { candidates, unresolved } = resolveCandidates(models, readConstraintsText(constraints).constraints, facts)
  const at = (isProblem: boolean, model: string, message: string): Found => {
    return { isProblem, finding: { profile, alias, model, message } }
  }
  return [
    ...unresolved.map(({ reference, reason }) => at(true, reference, reason)),
    ...candidates.flatMap(({ reference, model, unmet }) => {
      const fault = reference === model ? lookUp(facts, model) : undefined
      const faults = fault === undefined ? [] : [at(fault.isProblem, model, fault.message)]
      return [...faults, ...unmet.map((message) => at(false, model, `${message}.`))]
    }),
  ]
}

const providerOf = (model: string): string => model.slice(0, Math.max(0, model.indexOf(':'))).toLowerCase()

function lookUp(
  facts: RegistryFacts,
  text: string,
): { readonly isProblem: boolean; readonly message: string } | undefined {
  const parsed = parseReference(text)
  if (!parsed.ok) return { isProblem: true, message: parsed.message }
  const { provider, model } = parsed.reference
  const index = facts(provider.toLowerCase())
  if (index === undefined) return { isProblem: true, message: `the registry has no provider '${provider}'.` }
  const found = findModel(index, provider, model)
  if (found === undefined) return { isProblem: true, message: 'the registry has no such model.' }
  return found.active ? undefined : { isProblem: false, message: 'it is not offered any more.' }
}
