import type { UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'
import type { FoldOf } from './combination-limit.js'

/** What rows have in common, taken from the first of them, and what of its names is added up as `(other)`. */
export type Alike = { readonly row: UsageRow; readonly fold: ReturnType<FoldOf> }
/** `places` says of each row which of `common` it has, from 1. */
export type GroupedAlike = { readonly common: readonly Alike[]; readonly places: readonly number[] }

/** Characters of an hour in RFC 3339: within it a combination is one too many, or not. */
const HOUR_CHARACTERS = 13

/** The columns that rows have in common. Both lists have to name the same. */
export const COMMON_COLUMNS: readonly string[] = [
  ...['project_id', 'key_id', 'provider', 'model', 'alias', 'profile', 'origin', 'input_tokens_include_cache'],
  ...['cost_status', 'registry_provider_version', 'unit_prices'],
]
const isAlike = (one: UsageRow, other: UsageRow): boolean =>
  one.keyId === other.keyId &&
  one.status === other.status &&
  one.registryVersion === other.registryVersion &&
  // Events of one sort share their unit prices.
  one.unitPrices === other.unitPrices &&
  one.event.tokens.input_tokens_include_cache === other.event.tokens.input_tokens_include_cache

/** The rows of a busy service are of a few sorts: what these have in common is sent, read and added up once. */
export function groupAlike(rows: readonly UsageRow[], foldOf: FoldOf): GroupedAlike {
  const common: Alike[] = []
  const byNames = new Map<string, number[]>()
  const places = rows.map((row) => {
    const names = namesText(row)
    const same = byNames.get(names)
    const known = same?.find((place) => isAlike((common[place - 1] as Alike).row, row))
    if (known !== undefined) return known
    const place = common.push({ row, fold: foldOf(row) })
    if (same === undefined) byNames.set(names, [place])
    else if (same.length < USAGE_LIMITS.comparedRowsMax) same.push(place)
    return place
  })
  return { common, places }
}

/** Names never hold U+0000. */
function namesText({ projectId, loggedAt, event: { provider, model, alias, profile, origin } }: UsageRow): string {
  const hour = loggedAt.slice(0, HOUR_CHARACTERS)
  return `${projectId}${hour}${provider}\0${model}\0${alias ?? '\0'}\0${profile ?? '\0'}\0${origin ?? '\0'}`
}
