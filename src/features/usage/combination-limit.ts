import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { UsageRow } from './event.js'

/** Whether the combination of a row's names is one too many for its project and hour: then alias and origin fold. */
export type IsFolded = (row: UsageRow) => boolean

export type CombinationLimits = {
  /** Combinations of one project and hour. */
  readonly combinationsMax: number
  /** Of all projects and hours together: what is not written to for the longest time is forgotten. */
  readonly combinationsKnownMax: number
}

/** Digits of an hour in RFC 3339: `2026-03-15T12`. */
const HOUR_CHARACTERS = 13

/**
 * Counts what this instance has seen: a caller that puts an id into `origin` must not make rollups as large as the
 * rows. Another instance, or this one after a restart, counts for itself.
 */
export function createCombinationLimit({ combinationsMax, combinationsKnownMax }: CombinationLimits): IsFolded {
  const hours = new LRUCache<string, Set<string>>({ max: Math.ceil(combinationsKnownMax / combinationsMax) })
  return ({ projectId, loggedAt, event }) => {
    const hour = `${projectId} ${loggedAt.slice(0, HOUR_CHARACTERS)}`
    const known = hours.get(hour) ?? new Set()
    const { provider, model, alias, profile, origin } = event
    const names = JSON.stringify([provider, model, alias, profile, origin])
    // Names may be long; a digest is short.
    const digest = createHash('sha256').update(names).digest('base64').slice(0, 16)
    if (known.has(digest)) return false
    if (known.size >= combinationsMax) return true
    known.add(digest)
    hours.set(hour, known)
    return false
  }
}
