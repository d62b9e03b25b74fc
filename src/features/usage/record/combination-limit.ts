import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { UsageRow } from '../event.js'
import { USAGE_LIMITS } from '../limits.js'

/**
 * Which of a row's names are added up as `(other)`, since its combination is one too many for its project: none (0),
 * alias and origin (1), or all (2).
 */
export type FoldOf = (row: UsageRow) => 0 | 1 | 2

export type CombinationLimits = {
  /** Combinations of one project and hour, and of one project and day. */
  readonly combinationsMax: number
  readonly combinationsOfDayMax: number
  /** Of all projects together: what is not written to for the longest time is forgotten. */
  readonly combinationsKnownMax: number
}

/** Characters of an hour and of a day in RFC 3339: `2026-03-15T12`. */
const HOUR_CHARACTERS = 13
const DAY_CHARACTERS = 10

/**
 * Counts what this instance has seen: a caller that puts an id into a name must not make rollups as large as the rows.
 * Providers, models and profiles are counted for themselves, so that ids in aliases and origins leave them their names.
 * Another instance, or this one after a restart, counts for itself.
 */
export function createCombinationLimit(limits: CombinationLimits): FoldOf {
  const { combinationsMax, combinationsOfDayMax, combinationsKnownMax } = limits
  const seen = new LRUCache<string, Set<string>>({ maxSize: combinationsKnownMax })
  const digestOf = rememberDigests()
  const knownIn = (scope: string) => seen.get(scope) ?? new Set<string>()
  const add = (scope: string, known: Set<string>, digest: string) => {
    known.add(digest)
    seen.set(scope, known, { size: known.size })
  }
  const isTaken = (kind: string, { projectId, loggedAt }: UsageRow, names: Names): boolean => {
    const hour = `${kind} ${projectId} ${loggedAt.slice(0, HOUR_CHARACTERS)}`
    const inHour = knownIn(hour)
    const digest = digestOf(names)
    if (inHour.has(digest)) return true
    const day = `${kind} ${projectId} ${loggedAt.slice(0, DAY_CHARACTERS)}`
    const inDay = knownIn(day)
    if (inHour.size >= combinationsMax) return false
    if (inDay.size >= combinationsOfDayMax && !inDay.has(digest)) return false
    add(hour, inHour, digest)
    add(day, inDay, digest)
    return true
  }
  return (row) => {
    const { provider, model, alias, profile, origin } = row.event
    if (isTaken('all', row, [provider, model, alias, profile, origin])) return 0
    return isTaken('some', row, [provider, model, profile]) ? 1 : 2
  }
}

type Names = readonly (string | null)[]

/**
 * Names may be long; a digest is short. Those of the last short ones are kept, since most events have the same few:
 * to make one took as long as all else that is done here. Names never hold U+0000, and an empty one is absent.
 */
function rememberDigests(): (names: Names) => string {
  const { digestsKeptMax, digestedCharactersMax } = USAGE_LIMITS
  const recent = new Map<string, string>()
  return (names) => {
    let joined = ''
    for (const name of names) joined += `${name ?? ''}\0`
    const known = recent.get(joined)
    if (known !== undefined) return known
    const digest = makeDigest(names)
    if (recent.size >= digestsKeptMax) recent.clear()
    if (joined.length <= digestedCharactersMax) recent.set(joined, digest)
    return digest
  }
}

/** In one call: a Hash object for each event takes twice as long. */
const makeDigest = (names: Names) => hash('sha256', JSON.stringify(names), 'base64').slice(0, 16)
