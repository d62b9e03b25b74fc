import { JSON_TYPE } from '../../http/answer.js'
import { matchesEtag } from '../../http/etag.js'
import type { WarmResponse } from '../../http/warm-lane.js'
import type { Rendered } from './answers.js'

/** How long an answer may be kept: for good, or like a copy that was confirmed `ageSeconds` ago. */
export type Freshness =
  | { readonly kind: 'immutable' }
  | { readonly kind: 'copy'; readonly ageSeconds: number; readonly maxAgeSeconds: number }
  /** It lacks something or is bundled: it may be kept, and must be asked for again each time. */
  | { readonly kind: 'incomplete'; readonly ageSeconds: number }

const IMMUTABLE = 'public, max-age=31536000, immutable'

/**
 * A body that clients and proxies may keep, or 304 with the same ETag and Cache-Control where they have it already.
 * `Age` counts against `max-age` (RFC 9111, 4.2), so a copy is fresh out there as long as it is in here.
 */
export function keptResponse(rendered: Rendered, freshness: Freshness, ifNoneMatch: string | undefined): WarmResponse {
  const headers: Record<string, string> = {
    ETag: rendered.etag,
    'Cache-Control': cacheControl(freshness),
    'X-Registry-Source': rendered.source,
  }
  if (freshness.kind !== 'immutable') headers['Age'] = String(freshness.ageSeconds)
  if (matchesEtag(ifNoneMatch, rendered.etag)) return { status: 304, headers, body: null }
  headers['Content-Type'] = JSON_TYPE
  headers['Content-Length'] = String(rendered.bytes.byteLength)
  return { status: 200, headers, body: rendered.bytes }
}

export function isSameFreshness(one: Freshness, other: Freshness): boolean {
  if (one.kind === 'immutable' || other.kind === 'immutable') return one.kind === other.kind
  return cacheControl(one) === cacheControl(other) && one.ageSeconds === other.ageSeconds
}

function cacheControl(freshness: Freshness): string {
  if (freshness.kind === 'immutable') return IMMUTABLE
  return freshness.kind === 'incomplete' ? 'public, no-cache' : `public, max-age=${freshness.maxAgeSeconds}`
}
