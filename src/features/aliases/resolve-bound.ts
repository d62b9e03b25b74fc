import type { AliasKey } from './alias.js'
import { ALIAS_LIMITS } from './limits.js'
import { type Answers, answerOf } from './resolve-snapshot.js'
import type { Keeper, Known } from './snapshots.js'

/** The models of an alias, primary first; null if it is not bound. */
export type Bound = readonly string[] | null

/** The same as `resolveAlias`, for a feature that acts on it. */
export function resolveBound(
  answers: Keeper<Answers>,
  { projectId, profile, alias }: AliasKey,
): Bound | Promise<Bound> {
  const known = answers.get(projectId, profile, alias)
  return known instanceof Promise ? known.then((loaded) => lookUp(loaded, alias)) : lookUp(known, alias)
}

function lookUp({ content }: Known<Answers>, alias: string): Bound {
  const body = answerOf(content, alias)
  if (body === undefined) return null
  const { models }: { readonly models: readonly string[] } = JSON.parse(body)
  return models
}

/** The names of a profile's aliases, as far as memory holds them, in their order; at most so many. */
export async function listBound(
  answers: Keeper<Answers>,
  { projectId, profile }: Omit<AliasKey, 'alias'>,
): Promise<readonly string[]> {
  const { content } = await answers.get(projectId, profile, '')
  return [...content.bound.keys(), ...content.wildcards.keys()].sort().slice(0, ALIAS_LIMITS.boundNamesMax)
}
