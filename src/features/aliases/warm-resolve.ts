import type { Warm } from '../../http/listen/warm-lane.js'
import { JSON_HEADERS } from '../../http/response.js'
import { type Answers, answerOf } from './resolve-snapshot.js'
import type { Keeper } from './snapshots.js'
import type { MarkStale } from './stale-headers.js'

const DEFAULT_PROFILE = 'default'

/**
 * Resolve, as the lane answers it: a bound alias of a profile whose snapshot is in memory. An unknown alias goes the
 * ordinary way, which checks its name first.
 */
export function warmResolve({ inMemory }: Pick<Keeper<Answers>, 'inMemory'>, markStale: MarkStale): Warm {
  return ({ principal, query }) => {
    const asked = readQuery(query)
    if (asked === undefined) return undefined
    const known = inMemory(principal.projectId, asked.profile)
    const body = known === undefined ? undefined : answerOf(known.content, asked.alias)
    if (body === undefined) return undefined
    return { status: 200, headers: markStale(JSON_HEADERS, known?.staleSeconds), body }
  }
}

/** `alias=…` with or without `profile=…`, each once and not empty; anything else is read by the endpoint's schema. */
function readQuery(query: string): { readonly alias: string; readonly profile: string } | undefined {
  let alias: string | undefined
  let profile: string | undefined
  for (const pair of query.split('&')) {
    if (pair.startsWith('alias=') && alias === undefined) alias = pair.slice('alias='.length)
    else if (pair.startsWith('profile=') && profile === undefined) profile = pair.slice('profile='.length)
    else return undefined
  }
  if (alias === undefined || alias === '' || profile === '') return undefined
  return { alias, profile: profile ?? DEFAULT_PROFILE }
}
