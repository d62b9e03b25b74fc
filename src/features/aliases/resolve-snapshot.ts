import type { ProjectId } from '../../access/principal.js'
import type { RegistryFacts } from '../../core/routing/index.js'
import { createSlices } from '../../platform/slices.js'
import type { Kind, Rendered } from './snapshots.js'
import type { LoadedBinding, LoadedProfile } from './store.js'
import { followRegistry, type RegistryNow, resolveModels } from './wildcard-answer.js'

/** The bodies of the responses to resolve, by alias. */
export type Answers = {
  readonly bound: ReadonlyMap<string, string>
  /** The same of aliases with a wildcard: what they mean depends on the registry, too. */
  readonly wildcards: ReadonlyMap<string, () => string>
}

/** What the aliases of one profile mean, as the bytes of the responses. */
export function resolveKind(load: LoadProfile, registry: RegistryNow): Kind<Answers> {
  return {
    name: 'resolve',
    load: async (projectId, profile = '', only) => {
      const loaded = await load(projectId, profile, only)
      return { ...loaded, render: () => renderAnswers(loaded, profile, registry) }
    },
  }
}
type LoadProfile = (projectId: ProjectId, profile: string, only?: string) => Promise<LoadedProfile>

async function renderAnswers(
  { revision, bindings }: LoadedProfile,
  profile: string,
  registry: RegistryNow,
): Promise<Rendered<Answers>> {
  const slices = createSlices()
  const bound = new Map<string, string>()
  const wildcards = new Map<string, () => string>()
  let characters = profile.length
  for (const binding of bindings) {
    if (slices.isDue()) await slices.pause()
    const { alias, models, wildcardConstraints = null } = binding
    if (wildcardConstraints === null) {
      const answer = renderResolved(binding, profile, revision)
      characters += answer.length + alias.length
      bound.set(alias, answer)
    } else {
      const answer = followRegistry(registry, (facts) => renderWildcard(binding, profile, revision, facts))
      characters += answer().length + alias.length + models.length + wildcardConstraints.length
      wildcards.set(alias, answer)
    }
  }
  return { content: { bound, wildcards }, characters }
}

/** The answer to resolve an alias, in memory; undefined if it is not bound. */
export const answerOf = ({ bound, wildcards }: Answers, alias: string): string | undefined =>
  bound.get(alias) ?? wildcards.get(alias)?.()

/** The answer to resolve an alias that is not bound. */
export const renderUnbound = (alias: string, profile: string, revision: number): string =>
  renderResolved({ alias, model: 'null', models: '[]' }, profile, revision)

/** Joined, not added up: a sum of texts keeps each of them in memory until it is read. */
function renderResolved({ alias, model, models }: LoadedBinding, profile: string, revision: number): string {
  const names = ['{"alias":', JSON.stringify(alias), ',"model":', model, ',"models":', models]
  return [...names, ',"profile":', JSON.stringify(profile), `,"revision":${revision}}`].join('')
}

/** The same of an alias with a wildcard, with `warnings` if one stands for no model now. */
function renderWildcard(binding: LoadedBinding, profile: string, revision: number, facts: RegistryFacts): string {
  const bound: readonly string[] = JSON.parse(binding.models)
  const { model, models, warnings } = resolveModels(facts, bound, binding.wildcardConstraints ?? null)
  const texts = { model: JSON.stringify(model), models: JSON.stringify(models) }
  const answer = renderResolved({ alias: binding.alias, ...texts }, profile, revision)
  return warnings.length === 0 ? answer : `${answer.slice(0, -1)},"warnings":${JSON.stringify(warnings)}}`
}
